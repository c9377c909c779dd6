"""A whole run: people and chats on a running stack, everybody at work, and the account at the end.

Run.open(urls, …)   people who write, who only read, and who are sent away and come back
Run.work            writers write, readers read, the doorkeeper acts, until all is written
Run.settle          all behave well; returns the account once everybody has everything
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from tests.clients.api import Api, Person
from tests.flow.checker.access import Access
from tests.flow.checker.account import Account, verify
from tests.flow.checker.doorkeeper import Doorkeeper, Guest
from tests.flow.checker.habits import Habits
from tests.flow.checker.inspector import Inspector
from tests.flow.checker.ledger import Ledger
from tests.flow.checker.people import Member
from tests.flow.checker.reader import Reader
from tests.flow.checker.record import Record
from tests.flow.checker.violation import Violation
from tests.flow.checker.writer import Writer

SETTLE_S = 180.0
TIMEOUT_S = 6.0
"""A request without an answer after this is sent again, perhaps to another server."""
NAMES = ("Ada", "Bob", "Eve", "Dan")
Weather = Callable[[asyncio.Event], Awaitable[None]]
"""Faults that strike until they are through, or until the event is set."""
KINDS = ("Group", "PrivateChannel", "PublicChannel")


class Run:
    """Everything that takes part.

    bystander   a reader's user whom nobody touches but the faults
    """

    def __init__(self, inspector: Inspector, dice: random.Random) -> None:
        self.inspector, self.dice = inspector, dice
        self.ledger, self.record, self.access = Ledger(), Record(), Access()
        self.chats: list[int] = []
        self.writers: list[Writer] = []
        self.readers: list[Reader] = []
        self.guests: list[Guest] = []
        self.doorkeeper: Doorkeeper
        self.owner: Member
        self.bystander = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, api_urls: Sequence[str], notify_urls: Sequence[str], database_url: str, dice: random.Random, readers: int
    ) -> AsyncGenerator["Run"]:
        """So many readers: half of them of people who are sent away at times."""
        run = cls(Inspector(database_url), dice)
        async with AsyncExitStack() as stack:
            apis = [await stack.enter_async_context(Api(url, TIMEOUT_S)) for url in api_urls]
            await run._people(apis, notify_urls, readers)
            yield run
        await run.inspector.close()

    async def work(self, posts: int, pace: float, weather: Weather, *, sends_away: bool = True) -> Account:
        """`posts` at least, at most `pace` a second, and on until the weather is over, which is told when they are."""
        written, over = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(reader.read()) for reader in self.readers]
            await _until(lambda: all(reader.place.last for reader in self.readers), "all readers have come in")
            guests = self.guests if sends_away else []
            keeping = tasks.create_task(self.doorkeeper.work(guests, random.Random(self.dice.random()), 1.0, over))
            share, pause_s = -(-posts // len(self.writers)), len(self.writers) / pace
            writing = [tasks.create_task(writer.write(share, pause_s, over)) for writer in self.writers]
            raging = tasks.create_task(_let(weather, written))
            await self.has_written(posts)
            written.set()
            await raging
            over.set()
            await asyncio.gather(keeping, *writing)
            account = await self._settle()
            for task in reading:
                task.cancel()
        return account

    async def has_written(self, posts: int) -> None:
        """Return once so many posts were answered."""
        while self.ledger.acknowledged < posts:
            await _until(lambda n=self.ledger.acknowledged: self.ledger.acknowledged > n, "another post is answered")

    async def _settle(self) -> Account:
        """All is written: everybody gets everything, and the account is made."""
        for reader in self.readers:
            reader.calm = True
        for reader in self.readers:
            positions = (await self.inspector.positions(reader.person.id)).visible
            await _until(lambda r=reader, p=positions: r.is_at(p), lambda r=reader, p=positions: _behind(r, p))
        return await verify(self.ledger, self.record, self.readers, self.chats, self.owner, self.inspector)

    async def _people(self, apis: Sequence[Api], notify_urls: Sequence[str], readers: int) -> None:
        ada = await apis[0].sign_up("Ada Lovelace")
        invite = await ada.invite()
        own = [await apis[0].sign_up(name, invite=invite.code) for name in NAMES[1:]]
        guests = [await self._guest(apis[0], number, invite.code) for number in range(max(2, readers // 4))]
        everyone = [*own, *guests]
        self.chats = [(await ada.create_chat(kind, others=everyone)).id for kind in KINDS]
        members = [Member(person, apis, random.Random(self.dice.random())) for person in [ada, *own]]
        self.owner = members[0]
        self._open_pens(members)
        self.doorkeeper = Doorkeeper(self.owner, ada.workspace.id, self.chats, self.access, self.inspector)
        for number, person in enumerate(guests):
            member = Member(person, apis, random.Random(self.dice.random()))
            mine = [self._reader(f"guest {number}{device}", member, notify_urls) for device in "ab"]
            self.guests.append(Guest(member, mine, has_home=number % 2 == 0))
        for number in range(readers - len(self.readers)):
            self._reader(f"reader {number}", members[number % len(members)], notify_urls)
        bystander = Member(await apis[0].sign_up("Olga"), apis, self.dice)
        self.bystander = bystander.id
        self._reader("bystander", bystander, notify_urls)

    async def _guest(self, api: Api, number: int, code: str) -> Person:
        """Every second one has a workspace of their own beside."""
        if number % 2:
            return await api.sign_up(f"Guest {number}", invite=code)
        person = await api.sign_up(f"Guest {number}")
        assert (await person.ask("POST", f"/api/invites/{code}/accept")).status == 200
        return person

    def _open_pens(self, members: Sequence[Member]) -> None:
        for member in members:
            for chat in self.chats:
                dice = random.Random(self.dice.random())
                self.writers.append(Writer(f"w{len(self.writers)}", member, chat, self.ledger, dice))

    def _reader(self, name: str, member: Member, urls: Sequence[str]) -> Reader:
        habits = Habits(random.Random(self.dice.random()), urls)
        reader = Reader(name, member, habits, (self.record, self.ledger, self.access, self.inspector))
        self.readers.append(reader)
        return reader


async def _let(weather: Weather, written: asyncio.Event) -> None:
    await weather(written)


async def _until(condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Violation(f"in vain for {SETTLE_S:.0f} s: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(0.02)


def _behind(reader: Reader, positions: dict[str, int]) -> str:
    missing = {s: (reader.place.last.get(s), pos) for s, pos in positions.items() if reader.place.last.get(s, 0) < pos}
    diary = "\n  ".join(reader.diary)
    return f"{reader.name} (user {reader.person.id}) gets what it lacks (has, should have): {missing}\n  {diary}"
