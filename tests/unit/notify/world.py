"""A log in memory with transactions that overlap, and clients that remember everything: for tests of any interleaving.

World          transactions, commits, memberships
FakeLog        the functions of store/log/replay.py on it
Client         a device: its connections one after the other, what it got, which cursor it holds
"""

import re
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import msgspec

from fechatter.domain.people import Caller
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.session import Had, Phase, Session
from fechatter.store.database import Connection, Database
from fechatter.store.log.replay import Admission, Log, LoggedEvent, News, Seen, Snapshot, Span

WORKSPACE = "workspace:1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_FRAME = re.compile(rb"(?:id: (?P<id>\S+)\n)?event: (?P<type>\S+)\ndata: (?P<data>.*)\n\n")


class World:
    """The database, reduced to what order and visibility depend on. One chat's row is locked by one transaction."""

    def __init__(self) -> None:
        self.next_xid = 100
        self.running: dict[int, list[LoggedEvent]] = {}
        self.locks: dict[str, int] = {}
        self.last_pos: dict[str, int] = {}
        self.committed: list[LoggedEvent] = []
        self.joined: dict[int, dict[str, int]] = {}
        self.sessions: dict[int, int] = {}
        self.ended: set[int] = set()
        self.epoch = "epoch0"
        self.floor = 0

    def begin(self) -> int:
        self.next_xid += 1
        self.running[self.next_xid] = []
        return self.next_xid

    def write(self, xid: int, stream: str, type_: str = "message.created", payload: bytes = b"{}") -> int | None:
        """Append in the transaction; None if another holds the stream's row."""
        if self.locks.setdefault(stream, xid) != xid:
            return None
        pos = self.last_pos.get(stream, 0) + 1
        self.last_pos[stream] = pos
        chat_id = int(re.sub(r"\D", "", stream)) if stream.startswith("chat:") else None
        if type_ == "chat.created":
            chat_id = msgspec.json.decode(payload, type=dict[str, int])["id"]
        self.running[xid].append(LoggedEvent(stream, pos, xid, type_, chat_id, NOW, payload))
        return pos

    def end(self, xid: int, *, commit: bool = True) -> None:
        events = self.running.pop(xid)
        if commit:
            self.committed += events
        else:
            for event in events:
                self.last_pos[event.stream] -= 1
        self.locks = {stream: holder for stream, holder in self.locks.items() if holder != xid}

    def add(self, user_id: int, chat: int) -> None:
        """The user joins, in a transaction of its own; nothing happens if a row is locked or the user is in it."""
        stream, own = f"chat:{chat}", f"user:{user_id}"
        if stream in self.locks or own in self.locks or stream in self.joined[user_id]:
            return
        xid = self.begin()
        member = msgspec.json.encode({"chat_id": chat, "user_id": user_id, "role": "member"})
        pos = self.write(xid, stream, "member.added", member)
        assert pos is not None
        self.write(xid, own, "chat.created", msgspec.json.encode({"id": chat}))
        self.joined[user_id][stream] = pos
        self.end(xid)

    def remove(self, user_id: int, chat: int) -> None:
        stream, own = f"chat:{chat}", f"user:{user_id}"
        if stream in self.locks or own in self.locks or stream not in self.joined[user_id]:
            return
        xid = self.begin()
        member = msgspec.json.encode({"chat_id": chat, "user_id": user_id, "role": "member"})
        self.write(xid, stream, "member.removed", member)
        self.write(xid, own, "member.removed", member)
        del self.joined[user_id][stream]
        self.end(xid)

    def suspend(self, user_id: int) -> None:
        """The user hears the workspace no more. It says so itself, in a transaction of its own."""
        if WORKSPACE in self.joined[user_id]:
            self._set_standing(user_id)
            del self.joined[user_id][WORKSPACE]

    def readmit(self, user_id: int) -> None:
        """The user hears the workspace from here on."""
        if WORKSPACE not in self.joined[user_id]:
            self.joined[user_id][WORKSPACE] = self._set_standing(user_id)

    def _set_standing(self, user_id: int) -> int:
        xid = self.begin()
        member = msgspec.json.encode({"workspace_id": 1, "user_id": user_id, "role": "member"})
        pos = self.write(xid, WORKSPACE, "workspace.member_updated", member)
        assert pos is not None, "no transaction of these tests holds the workspace's row"
        self.end(xid)
        return pos

    def frozen(self) -> "World":
        """As it is now: what a transaction that repeats its reads sees to its end."""
        snapshot = World()
        snapshot.next_xid, snapshot.running = self.next_xid, {xid: [] for xid in self.running}
        snapshot.committed = list(self.committed)
        snapshot.joined = {user_id: dict(streams) for user_id, streams in self.joined.items()}
        snapshot.ended = set(self.ended)
        snapshot.epoch, snapshot.floor = self.epoch, self.floor
        return snapshot

    def session_of(self, user_id: int) -> int:
        """The one that the user's devices have, or come with next."""
        return self.sessions.setdefault(user_id, user_id)

    def sign_out(self, user_id: int) -> None:
        """The session ends; the user signs in again at once, which gives another."""
        self.ended.add(self.session_of(user_id))
        self.sessions[user_id] += 100

    def prune(self) -> None:
        """Forget all that no transaction under way is older than."""
        bound = min(self.running, default=self.next_xid + 1)
        gone = [event.xid for event in self.committed if event.xid < bound]
        self.committed = [event for event in self.committed if event.xid >= bound]
        self.floor = max([self.floor, *(xid + 1 for xid in gone)])

    def may_see(self, user_id: int) -> dict[str, int]:
        return {f"user:{user_id}": 0, **self.joined[user_id]}


async def nothing() -> None:
    """What happens while a statement runs, unless a test has something happen."""


class FakeLog:
    """store/log/replay.py on a World. In a transaction, statements see what was committed when it began.

    meanwhile   called in each statement of a transaction: what others do while it runs
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.meanwhile: Callable[[], Coroutine[None, None, None]] = nothing

    async def look(self, connection: Connection) -> Log:
        world = await self._seen_by(connection)
        running = tuple(sorted(world.running))
        xmax = world.next_xid + 1
        highest = max((event.xid for event in world.committed), default=world.floor - 1)
        return Log(world.epoch, world.floor, Snapshot(running[0] if running else xmax, xmax, running), highest)

    async def new_events(self, connection: Connection, seen: Seen) -> News:
        events = _unread(await self._seen_by(connection), seen)
        return News(await self.look(connection), events[: self.limit + 1], len(events) <= self.limit)

    async def first_new(self, connection: Connection, seen: Seen) -> dict[str, int]:
        first: dict[str, int] = {}
        for event in _unread(await self._seen_by(connection), seen):
            first[event.stream] = min(event.pos, first.get(event.stream, event.pos))
        return first

    async def stream_new(self, connection: Connection, seen: Seen, _chunk: int) -> AsyncGenerator[list[LoggedEvent]]:
        events = _unread(await self._seen_by(connection), seen)
        for start in range(0, len(events), 2):
            await self.meanwhile()
            yield events[start : start + 2]

    async def admit(self, connection: Connection, callers: Collection[Caller]) -> dict[Caller, Admission]:
        world = await self._seen_by(connection)
        inside = [caller for caller in callers if caller.session_id not in world.ended]
        return {caller: Admission(world.may_see(caller.user_id)) for caller in inside}

    async def spans(self, connection: Connection, since: Mapping[str, int]) -> dict[str, Span]:
        world = await self._seen_by(connection)
        found: dict[str, Span] = {}
        for stream, xid in since.items():
            events = [event for event in world.committed if event.stream == stream]
            last = max((event.pos for event in events), default=0)
            oldest = min((event.pos for event in events), default=1)
            after = max((event.pos for event in events if event.xid < xid), default=oldest - 1)
            if last > after:
                found[stream] = Span(after, last)
        return found

    async def stream_spans(
        self, connection: Connection, wanted: Mapping[str, Span], _chunk: int
    ) -> AsyncGenerator[list[LoggedEvent]]:
        world = await self._seen_by(connection)
        none = Span(0, 0)
        events = _sorted(
            [
                event
                for event in world.committed
                if wanted.get(event.stream, none).after < event.pos <= wanted.get(event.stream, none).last
            ]
        )
        for start in range(0, len(events), 2):
            await self.meanwhile()
            yield events[start : start + 2]

    async def _seen_by(self, connection: Connection) -> World:
        fake = cast("FakeConnection", connection)
        if fake.snapshot is None:
            return fake.world
        await self.meanwhile()
        return fake.snapshot


def _unread(world: World, seen: Seen) -> list[LoggedEvent]:
    return _sorted([event for event in world.committed if event.xid > seen.highest or event.xid in seen.pending])


class FakeConnection:
    """A connection whose transactions repeat their reads. `snapshot`: of the one that is open."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.snapshot: World | None = None

    @asynccontextmanager
    async def transaction(self, **_options: object) -> AsyncGenerator[None]:
        self.snapshot = self.world.frozen()
        try:
            yield
        finally:
            self.snapshot = None


class FakeDatabase:
    """Any number of connections."""

    def __init__(self, world: World) -> None:
        self._world = world

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        yield cast("Connection", FakeConnection(self._world))


def fake_connection(world: World) -> Connection:
    return cast("Connection", FakeConnection(world))


def fake_database(world: World) -> Database:
    return cast("Database", FakeDatabase(world))


class Wires:
    """The sockets of all connections: what os.write is to the fan-out."""

    def __init__(self) -> None:
        self._by_fd: dict[int, Wire] = {}

    def add(self, wire: "Wire") -> None:
        wire.fd = len(self._by_fd) + 1
        self._by_fd[wire.fd] = wire

    def write(self, fd: int, data: bytes) -> int:
        return self._by_fd[fd].take(data)


class Wire:
    """One connection of a client, as the hub sees it.

    room   how many bytes its socket still takes; None: any number
    gone   it is closed: its descriptor may be another's by now
    """

    speaks_ws = False

    def __init__(
        self,
        session: Session,
        lags: Callable[["Wire"], None],
        leaves: Callable[["Wire"], None],
        place: Callable[[], tuple[int, Had]],
    ) -> None:
        self.fd = 0
        self.session = session
        self.parcel: Parcel | None = None
        self.congested = False
        self.data = b""
        self.room: int | None = None
        self.gone = False
        self._lags, self._leaves = lags, leaves
        self._place = place

    def take(self, data: bytes) -> int:
        assert self.session.phase is Phase.LIVE, "the fan-out writes to live connections only"
        assert not self.gone, "who is gone stays gone"
        taken = data if self.room is None else data[: self.room]
        if self.room == 0:
            raise BlockingIOError
        self.data += taken
        return len(taken)

    def send(self, data: bytes) -> None:
        quiet = self.session.phase in (Phase.LAGGING, Phase.ENDED)
        assert not quiet, "a reader that fell behind or was sent away is sent nothing"
        self.data += data

    def spill(self, data: bytes) -> None:
        """The rest of a write is buffered, which is too much."""
        self.send(data)
        self.room = None
        self.fall_behind(*self._place())

    def offer(self, data: bytes) -> None:
        self.send(data)

    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None:
        self.send(b"".join([*[frame.sse for frame in frames], then]))

    def refuse(self) -> None:
        self.session.end(CloseCode.ACCESS_ENDED)
        self.gone = True
        self._leaves(self)

    def fall_behind(self, since: int, had: Had) -> None:
        if self.session.phase in (Phase.LIVE, Phase.REPLAYING):
            self.session.lag(since, had)
            self._lags(self)


class Client:
    """One device of a user.

    base      all events below this xid are part of the state it loaded
    got       the events it has, by stream and position
    forgets   it has asked to resume on its open connection: all until the next hello is void
    """

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.base: int | None = None
        self.cursor: str | None = None
        self.got: set[tuple[str, int]] = set()
        self.wire: Wire | None = None
        self.forgets = False
        self._read = 0
        self._last: dict[str, int] = {}

    def connect(self, wire: Wire) -> None:
        self.wire, self._read, self._last, self.forgets = wire, 0, {}, False

    def forget_order(self) -> None:
        """After a resume on an open connection, streams begin again where the cursor says."""
        self._last, self.forgets = {}, True

    def read(self, world: World) -> None:
        """Take what came; check order, and the cursor rule for each cursor as it comes."""
        if self.wire is None:
            return
        for frame in _FRAME.finditer(self.wire.data, self._read):
            self._read = frame.end()
            self.forgets = self.forgets and frame["type"] != b"hello"
            if self.forgets:
                continue
            self._take(frame["type"], frame["data"], world)
            if frame["id"] is not None:
                self._take_cursor(frame["id"].decode(), world)
        assert self._read == len(self.wire.data), "whole frames only"

    def _take(self, type_: bytes, data: bytes, world: World) -> None:
        if type_ == b"resync_required":
            self.base = 0
            self.got = {(event.stream, event.pos) for event in world.committed}  # by loading all it shows
            return
        if type_ == b"hello":
            if self.base is None:
                self.base = int(msgspec.json.decode(data)["payload"]["cursor"].partition(".")[2])
            return
        event = msgspec.json.decode(data)
        place = (event["stream"], event["pos"])
        last = self._last.get(place[0], 0)
        assert place[1] > last, f"{place} after {last} on one connection"
        self._last[place[0]] = place[1]
        self.got.add(place)

    def _take_cursor(self, cursor: str, world: World) -> None:
        self.cursor = cursor
        xid = int(cursor.partition(".")[2])
        if cursor.startswith(world.epoch):  # of another database nothing is promised but that it will be told
            assert not (lost := self.missing(world, below=xid)), f"{cursor} was given before {lost}"

    def missing(self, world: World, below: int) -> list[LoggedEvent]:
        """Committed events under `below` that it may see now, has not got, and that are not in what it loaded."""
        may_see = world.may_see(self.user_id)
        return [
            event
            for event in world.committed
            if event.stream in may_see
            and event.pos >= may_see[event.stream]
            and (self.base or 0) <= event.xid < below
            and (event.stream, event.pos) not in self.got
        ]


def _sorted(events: list[LoggedEvent]) -> list[LoggedEvent]:
    by_position = sorted(events, key=lambda event: event.pos)
    by_stream = sorted(by_position, key=lambda event: event.stream, reverse=True)
    return sorted(by_stream, key=lambda event: event.xid)
