"""A client that listens as clients do on bad days: it drops, stalls, resumes, goes back, and changes servers.

Reader.read        until cancelled; Violation as soon as a promise is broken
Reader.is_at       whether it has everything up to given positions
Reader.calm        from now on it behaves well
"""

import asyncio
import time
from collections import Counter, defaultdict, deque

import msgspec

from tests.clients.feed import Disconnected, Door, Feed, Refused, Told, open_feed
from tests.clients.shapes import Hello, Resync
from tests.flow.checker.access import Access
from tests.flow.checker.habits import Habits
from tests.flow.checker.inspector import Inspector
from tests.flow.checker.ledger import Heard, Ledger
from tests.flow.checker.people import Member, session_of
from tests.flow.checker.place import Place, Stretches
from tests.flow.checker.record import About, Record
from tests.flow.checker.violation import Violation, hold

COME_BACK = {4000, 4001}
AUTH_S = 5.0
"""Who says who they are by a frame must do so within this time; the machine may stand still for longer."""
PAUSE_S = 0.05
LONGEST_RETRY_S = 0.4
"""Clients of the checker are less patient than a goodbye asks them to be, to be there when the next fault strikes."""


class Goodbye(msgspec.Struct):
    code: int
    reconnect: bool
    retry_ms: int
    reason: str


class Reader:
    """One device of one person.

    place       what it keeps
    heard       stream → which positions it was told, over all connections
    versions    (chat, seq) → the version last told, of messages that changed
    told        how many events with a position came
    happened    what else happened, counted
    retries     the pauses that goodbyes with 4000 asked for, counted
    open        whether a stream is open and greeted at this moment
    diary       its last steps, for the report of a violation
    """

    def __init__(
        self, name: str, person: Member, habits: Habits, seen: tuple[Record, Ledger, Access, Inspector]
    ) -> None:
        self.name, self.person, self.habits = name, person, habits
        self.place = Place()
        self.heard: defaultdict[str, Stretches] = defaultdict(Stretches)
        self.versions: dict[tuple[int, int], int] = {}
        self.told = 0
        self.happened: Counter[str] = Counter()
        self.retries: Counter[int] = Counter()
        self.open = False
        self.diary: deque[str] = deque(maxlen=40)
        self.calm = self.stalled = False
        self._record, self._ledger, self._access, self._inspector = seen
        self._dice = habits.dice
        self._earlier: deque[Place] = deque(maxlen=6)
        self._session = 0  # of the credentials used last
        self._way = ""
        self._began = 0.0  # when it began to connect
        self._here: dict[str, int] = {}  # the last position of each stream on this connection
        self._greeted = False
        self._expects: str | None = None  # the cursor that hello must repeat
        self._forgets = False  # between a resume frame and its hello
        self._resumed_at: deque[float] = deque(maxlen=9)
        self._goodbye: Goodbye | None = None

    def is_at(self, positions: dict[str, int]) -> bool:
        return all(self.place.last.get(stream, 0) >= pos for stream, pos in positions.items())

    def note(self, text: str) -> None:
        self.diary.append(f"{time.monotonic():.2f} {text}")

    async def read(self) -> None:
        while True:
            try:
                await self._visit()
            except Disconnected as end:
                self.happened[f"closed {end.code}" if end.code else "broken off"] += 1
                self.note(f"disconnected: {end}")
            except Refused as refusal:
                self._check_refusal(refusal)
            except AssertionError as broken:
                diary = "\n  ".join(self.diary)
                raise Violation(f"{self.name} (user {self.person.id}): {broken}\n  {diary}") from broken
            finally:
                self.open = self.stalled = False
            await self._rest()

    async def _visit(self) -> None:
        """One connection, from whichever place the dice choose to its end."""
        if not self.calm and self._earlier and self._dice.random() < self.habits.goes_back:
            self._go_back()
        door = await self._door()
        cursor = self.place.cursor
        self._here, self._greeted, self._goodbye, self._forgets = {}, False, None, False
        self._expects = cursor
        self._began = time.monotonic()
        self.note(f"connects to {door.url} {'ws' if door.speaks_ws else 'sse'} {door.way} at {cursor}")
        feed = await open_feed(door, cursor)
        self.happened["connections"] += 1
        try:
            await self._listen(feed)
        finally:
            feed.drop()

    async def _listen(self, feed: Feed) -> None:
        left = self.habits.visit_length()
        while left > 0 or self.calm:
            batch = await feed.take(self.habits.silence_s)
            # What was not looked at before the connection was dropped has not come: any cursor may be the last.
            for told in batch if self.calm else batch[: max(left, 1)]:
                left -= 1
                if self._take(told):
                    await self._load()
            if self._goodbye is not None:
                raise Disconnected("goodbye", self._goodbye.code)
            if batch and self._greeted and not self.calm:
                await self._misbehave(feed)
        self.happened["dropped"] += 1

    async def _misbehave(self, feed: Feed) -> None:
        chance = self._dice.random()
        if chance < self.habits.stalls:
            self.happened["stalls"] += 1
            self.note("stalls")
            self.stalled = True
            await asyncio.sleep(self.habits.stall_s())
            self.stalled = False
        elif feed.speaks_ws and chance > 1 - self.habits.resumes and self._earlier and self._may_resume():
            self._go_back()
            assert self.place.cursor is not None
            self._here, self._greeted, self._forgets = {}, False, True
            self._expects = self.place.cursor
            self.happened["resume frames"] += 1
            self.note(f"resumes at {self.place.cursor}")
            await feed.resume(self.place.cursor)

    def _may_resume(self) -> bool:
        """At most 9 in 10 s, by our clock."""
        now = time.monotonic()
        if len(self._resumed_at) == 9 and now - self._resumed_at[0] < 11:
            return False
        self._resumed_at.append(now)
        return True

    def _go_back(self) -> None:
        """To a place of a while ago."""
        self.place = self._dice.choice(self._earlier).copy()
        self.happened["went back"] += 1
        self.note(f"goes back to {self.place.cursor}")

    def _take(self, told: Told) -> bool:
        """Hold an event against all rules; whether state must be loaded now."""
        if told.pos is None:
            return self._take_notice(told)
        if not self._greeted:  # between a resume frame and its hello: forgotten
            hold(self._forgets, f"before hello: {told}")
            return False
        assert told.stream is not None
        hold(told.cursor is not None, f"no cursor: {told}")
        hold(
            told.pos > self._here.get(told.stream, 0), f"{told.stream}: {told.pos} after {self._here.get(told.stream)}"
        )
        self._here[told.stream] = told.pos
        about = self._record.see(told)
        self.told += 1
        self.heard[told.stream].add(told.pos)
        version = self._check_message(told, about) if isinstance(about, Heard) else 0
        if self.place.judge(told, about, self.person.id) == "new":
            self._apply(told, about, version)
        self._keep(told.cursor)
        return False

    def _apply(self, told: Told, about: Heard | About, version: int) -> None:
        if isinstance(about, Heard):
            if version or told.type != "message.created":
                self.versions[about.chat_id, about.seq] = version
        elif about.user_id == self.person.id and told.type == "member.added":
            # What changed while it was out was not told to it: a page loads the chat anew.
            self.versions = {place: known for place, known in self.versions.items() if place[0] != told.chat_id}
        elif told.type == "member.removed" and told.stream == f"user:{self.person.id}" and told.chat_id:
            self.place.leave(told.chat_id)

    def _check_message(self, told: Told, message: Heard) -> int:
        series, number = self._ledger.of(message.idempotency_key)
        if told.type == "message.created":
            self._access.check(self._session, self.person.id, series.began[number], message.idempotency_key)
        return self._ledger.check(message)

    def _keep(self, cursor: str | None) -> None:
        self.place.cursor, self.place.taken_at = cursor, time.monotonic()
        if self._dice.random() < self.habits.remembers:
            self._earlier.append(self.place.copy())

    def _take_notice(self, told: Told) -> bool:
        match told.type:
            case "hello":
                return self._take_hello(msgspec.json.decode(told.payload, type=Hello), told)
            case "resync_required":
                hold(self._greeted, "resync_required before hello")
                self._take_resync(msgspec.json.decode(told.payload, type=Resync))
                return True
            case "goodbye":
                self._take_goodbye(msgspec.json.decode(told.payload, type=Goodbye))
            case "typing" | "presence.changed" | "receipt.updated":
                hold(told.cursor is None, f"an ephemeral event with a cursor: {told}")
                self.happened["ephemera"] += 1
            case _:
                raise Violation(f"no position: {told}")
        return False

    def _take_hello(self, hello: Hello, told: Told) -> bool:
        hold(not self._greeted, "a second hello")
        mine = (hello.user_id, hello.session_id, hello.cursor) == (self.person.id, self._session, told.cursor)
        hold(mine, f"hello of another: {hello}")
        hold(self._expects in (None, hello.cursor), f"resumed at {self._expects}, greeted with {hello.cursor}")
        self.note(f"hello {hello.cursor}")
        self._greeted, self._forgets, self.open = True, False, True
        if self._expects is None:
            self.place = Place(hello.cursor, time.monotonic())
            return True
        return False

    def _take_resync(self, resync: Resync) -> None:
        self.note(f"resync: {resync.reason}")
        self.happened["resyncs"] += 1
        allowed = self._access.may_reload(self.place.taken_at) or self._access.was_readmitted(self.person.id)
        hold(allowed, f"resync_required without a cause: {resync.reason}")
        self.place = Place(resync.cursor, time.monotonic())
        self._earlier.clear()

    async def _load(self) -> None:
        """As a page does that loads all it shows."""
        self.place.load(await self._inspector.positions(self.person.id))
        self.versions.clear()

    def _take_goodbye(self, goodbye: Goodbye) -> None:
        self._goodbye = goodbye
        if goodbye.code == 4000:
            self.retries[goodbye.retry_ms] += 1
        hold(goodbye.reconnect == (goodbye.code in COME_BACK), f"{goodbye}")
        ended = self._access.has_ended(self._session, self.person.id)
        coming_in = self._way == "frame" and not self._greeted and not self._forgets
        late = coming_in and time.monotonic() - self._began >= AUTH_S
        fine = goodbye.code in COME_BACK or (goodbye.code in (4401, 4403) and ended) or (goodbye.code == 4408 and late)
        hold(fine, f"sent away: {goodbye}")

    def _check_refusal(self, refusal: Refused) -> None:
        self.note(f"refused: {refusal}")
        self.happened[f"refused {refusal.status}"] += 1
        ended = self._way == "ticket" or self._access.has_ended(self._session, self.person.id)
        fine = refusal.status == 503 or (refusal.status == 401 and ended)
        if not fine:
            diary = "\n  ".join(self.diary)
            raise Violation(f"{self.name} (user {self.person.id}): refused: {refusal}\n  {diary}")

    async def _door(self) -> Door:
        before = self.person.session
        door = await self.person.door(self._dice, self.habits.urls)
        self._session = before if door.way == "ticket" else session_of(door.secret)
        self._way = door.way
        return door

    async def _rest(self) -> None:
        retry_s = self._goodbye.retry_ms / 1000 if self._goodbye is not None else 0.0
        away = self.habits.away_s() if not self.calm else 0.0
        await asyncio.sleep(PAUSE_S + min(retry_s, LONGEST_RETRY_S) + away)
