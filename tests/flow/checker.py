"""A checker of promises under faults: who posted what, who heard what, and whether the two agree.

Ledger            what was promised: each post that was answered 2xx
Writer            posts, and retries with the same key until it is answered
Reader            listens, drops its connection at random, and resumes by its last cursor
verify(…)         the account: history and every reader against the ledger
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.clients.api import Answer, Person, Unanswered
from tests.clients.shapes import Chat, Message
from tests.clients.sse import Disconnected, Event, EventStream, Refused, listen

BACKOFF_S = 0.05
AGAIN = 0.05
"""How often a writer sends what was answered once more, as a client does that lost the answer."""


class Ledger:
    """What the service has promised.

    acknowledged   idempotency key → the message that a 2xx answer told
    """

    def __init__(self) -> None:
        self.acknowledged: dict[str, Message] = {}
        self._grown = asyncio.Condition()

    async def acknowledge(self, key: str, message: Message) -> None:
        first = self.acknowledged.setdefault(key, message)
        assert first == message, f"the key {key} was answered with {first} and then with {message}"
        async with self._grown:
            self._grown.notify_all()

    async def reaches(self, count: int) -> None:
        """Return once so many posts have been answered."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.acknowledged) >= count)


class Writer:
    """Posts one after the other. `tries` counts requests, `refused` the statuses of those that were turned away."""

    def __init__(self, person: Person, chat: Chat, name: str, dice: random.Random) -> None:
        self.person, self.chat, self.name = person, chat, name
        self.tries = 0
        self.refused: Counter[int] = Counter()
        self._dice = dice

    async def write(self, count: int, ledger: Ledger) -> None:
        """Post `count` messages; return when each has been answered 2xx."""
        for number in range(count):
            key = f"{self.name}-{number}"
            message = await self._post(key)
            await ledger.acknowledge(key, message)
            if self._dice.random() < AGAIN:
                assert await self._post(key) == message

    async def _post(self, key: str) -> Message:
        while True:
            answer = await self._try(key)
            if answer is not None and answer.status in (200, 201):
                return answer.json(Message, answer.status)
            if answer is not None:
                assert answer.status == 503, f"{key}: {answer.status} {answer.body!r}"
                answer.problem(503, "unavailable")
                self.refused[answer.status] += 1
            await asyncio.sleep(BACKOFF_S)

    async def _try(self, key: str) -> Answer | None:
        self.tries += 1
        draft = {"content": f"message {key}", "idempotency_key": key}
        try:
            return await self.person.api.try_to_ask(
                "POST", f"/api/chats/{self.chat.id}/messages", token=self.person.token, json=draft
            )
        except Unanswered:
            return None


class Reader:
    """Listens for as long as its task runs.

    last         the last pos of each stream, over all connections
    heard        the messages of each chat in the order in which they were first heard
    connections  how often it came in
    """

    def __init__(self, person: Person, urls: Sequence[str], dice: random.Random) -> None:
        self.person = person
        self.last: dict[str, int] = {}
        self.heard: dict[int, list[Message]] = {}
        self.connections = 0
        self.greeted = asyncio.Event()
        self._urls = urls
        self._dice = dice
        self._cursor: str | None = None
        self._grown = asyncio.Condition()

    async def read(self) -> None:
        """Never returns; AssertionError as soon as something is lost, out of order or double."""
        while True:
            try:
                await self._read_once(self._dice.choice(self._urls))
            except Disconnected:
                await asyncio.sleep(BACKOFF_S)
            except Refused as refusal:
                refusal.answer.problem(503, "unavailable")
                await asyncio.sleep(BACKOFF_S)

    async def hears(self, chat: Chat, count: int) -> None:
        """Return once it has heard so many messages of the chat."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.heard.get(chat.id, [])) >= count)

    async def _read_once(self, url: str) -> None:
        as_header = self._dice.random() < 0.5
        async with listen(
            url,
            token=self.person.token,
            last_event_id=self._cursor if as_header else None,
            cursor=None if as_header else self._cursor,
        ) as stream:
            hello = await stream.hello()
            assert self._cursor in (None, hello.cursor), "a resumed stream's hello carries the resumed cursor"
            self._cursor = hello.cursor
            self.connections += 1
            self.greeted.set()
            for _ in range(self._dice.randint(20, 400)):
                await self._take(stream)

    async def _take(self, stream: EventStream) -> None:
        """EventStream holds that the connection's own order has no gap; this holds it across connections."""
        event = await stream.next(patience_s=120)
        self._cursor = event.cursor or self._cursor
        if event.kind == "goodbye":
            return
        assert event.kind != "resync_required", event.raw
        name, pos = event.place
        before = self.last.get(name, 0)
        assert pos <= before + 1, f"{name}: {before} is followed by {pos}, after {self.connections} connections"
        if pos == before + 1:
            self.last[name] = pos
            await self._keep(event)

    async def _keep(self, event: Event) -> None:
        if event.kind == "message.created":
            message = event.payload(Message)
            self.heard.setdefault(message.chat_id, []).append(message)
            async with self._grown:
                self._grown.notify_all()


class Account(msgspec.Struct, frozen=True):
    """What a run came to; its repr goes into the test's output."""

    posts: int
    tries: int
    refused: int
    connections: int


async def verify(
    ledger: Ledger, writers: Sequence[Writer], readers: Sequence[Reader], chats: Sequence[Chat]
) -> Account:
    """Hold history and readers against the ledger. The readers must have been let catch up by `hears`."""
    for chat in chats:
        history = await writers[0].person.whole_history(chat)
        assert [message.seq for message in history] == list(range(1, len(history) + 1))
        promised = {key: message for key, message in ledger.acknowledged.items() if message.chat_id == chat.id}
        stored = {message.idempotency_key: message for message in history}
        assert len(stored) == len(history), "a message is stored twice"
        assert stored == promised
        for reader in readers:
            assert reader.heard[chat.id] == history, f"{reader.person.user.username} heard something else"
    return Account(
        posts=len(ledger.acknowledged),
        tries=sum(writer.tries for writer in writers),
        refused=sum(sum(writer.refused.values()) for writer in writers),
        connections=sum(reader.connections for reader in readers),
    )
