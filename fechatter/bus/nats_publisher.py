"""Hints by NATS: the side that tells what was committed.

NatsPublisher.pass_on   after each commit, by the database; returns at once, never raises
NatsPublisher.run       be connected, watch over the answers, until cancelled
NatsPublisher.close     wait a moment for what is under way

Nobody waits for NATS. JetStream answers each message; when it does not, or there is no connection, or some notify
server cannot hear NATS, the streams are told by NOTIFY instead (fallback.py), until answers come again. Whatever is
lost all the same is found by the sweep of the notify servers.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import count

import msgspec
from nats.aio.msg import Msg

from fechatter import logs
from fechatter.bus import jetstream, subjects
from fechatter.bus.fallback import Fallback
from fechatter.bus.nats_link import NatsClient, NatsLink, answers, subscribe, write
from fechatter.bus.nats_reasons import FAILURES, standing
from fechatter.bus.outage import Outage
from fechatter.config import Messaging
from fechatter.store.database import Database
from fechatter.store.log.outbox import Written

ANSWER_S = 0.5
"""A message that JetStream has not answered by then is told by NOTIFY too."""
KEEP_S = 60.0
"""So long an unanswered message is kept, to be published again when there is a connection; less than the window in
which JetStream drops what it has."""
MOST_UNANSWERED = 20_000
AT_ONCE = 500
EVENTS_A_MESSAGE = 500
TICK_S = 0.1
RETRY_S = 1.0
CALM_S = 2.0
"""JetStream that failed is relied on again when it has taken something after so long without another failure."""
PROBE = 0
"""The number of a message without news, which shows whether JetStream takes any."""

log = logs.get(__name__)


class _Sent(msgspec.Struct):
    """A message that JetStream has not answered.

    born   when its events were committed
    at     when it was published last
    told   whether it was overdue, refused or lost, so that its streams went by NOTIFY too
    """

    born: float
    subject: str
    events: list[Written]
    at: float = 0.0
    told: bool = False


class _Problem(msgspec.Struct):
    description: str = "it does not say why"


class _Answer(msgspec.Struct):
    """JetStream's PubAck."""

    error: _Problem | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode


class NatsPublisher:
    """Tells NATS what was committed.

    published, answered   messages with news
    dropped               messages that were not published, since too many were unanswered
    _stream_ready         whether JetStream's stream is there, as far as is known
    _taken                whether JetStream takes what is published: it has shown so on this connection
    _calm_from            before this time it is not believed to
    """

    def __init__(self, settings: Messaging, name: str) -> None:
        self.published = self.answered = self.dropped = 0
        self.fallback = Fallback()
        self._settings = settings
        self._link = NatsLink(settings, name, "publish")
        self._inbox = ""
        self._numbers = count(PROBE + 1)
        self._unanswered: dict[int, _Sent] = {}
        self._stream_ready = self._taken = False
        self._calm_from = 0.0
        self._outage = Outage(log, "nats.takes_nothing", "nats.takes_news")
        self._difference = ""

    @property
    def alive(self) -> bool:
        """Whether NATS takes and keeps what is published."""
        return self._link.client is not None and self._taken

    @property
    def standing(self) -> str:
        """For /ready: `ok`, or `away` with the reason if that is known."""
        return standing(self.alive, self._link.why or self._outage.why)

    @property
    def unanswered(self) -> int:
        return len(self._unanswered)

    @property
    def takes_ephemera(self) -> bool:
        return self._settings.enabled is True

    @property
    def settings(self) -> dict[str, str]:
        """With NATS alone, commits do without NOTIFY (migrations/0011_notify_on_demand.sql)."""
        return {"fechatter.notify": "off"} if self._settings.enabled is True else {}

    def pass_on(self, events: list[Written], ephemera: list[str]) -> None:
        if self._settings.enabled is True and (self.fallback.needed or not self.alive):
            self.fallback.tell((event.stream for event in events), ephemera)
        if (client := self._link.client) is None:
            return
        now = asyncio.get_running_loop().time()
        for subject, together in _by_subject(events):
            self._publish(client, _Sent(now, subject, together))
        for news in ephemera:
            write(client, subjects.LIVE, news.encode())

    async def run(self, database: Database) -> None:
        """Until cancelled. What is a bug is told, and does not end it: a server without it would fall silent."""
        while True:
            try:
                await self._run(database)
            except Exception:
                log.exception("nats.publisher_failed")
            await asyncio.sleep(RETRY_S)

    async def _run(self, database: Database) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(self._use))
            tasks.create_task(self.fallback.run(database))
            tasks.create_task(self._look_after_answers())

    async def close(self) -> None:
        """Return once the server has what was published. Within a second, or not at all: the sweep finds it."""
        try:
            if self._link.client is not None:
                await answers(self._link.client)
        except FAILURES as error:
            log.info("nats.not_flushed", error=type(error).__name__)

    async def _use(self, client: NatsClient) -> None:
        """What belongs to one connection."""
        self._inbox = client.new_inbox()
        self._stream_ready = self._taken = False
        self._calm_from = 0.0
        for sent in self._unanswered.values():  # lost with the last connection
            self._tell_otherwise(sent)
        await subscribe(client, f"{self._inbox}.*", self._hear_answer)
        behind = True
        while True:
            if self._taken and behind:
                await self._publish_again(client)
                behind = False
            if not self._stream_ready:
                await self._make_ready(client)
            if self._stream_ready and not self._taken:
                write(client, subjects.NOTHING, b"", f"{self._inbox}.{PROBE}")
                behind = True
            await asyncio.sleep(RETRY_S)

    async def _make_ready(self, client: NatsClient) -> None:
        try:
            difference = await jetstream.ensure_stream(client, self._settings)
        except jetstream.StreamError as error:
            self._outage.lasts(str(error))
            return
        if difference and difference != self._difference:
            log.info("nats.stream_differs", stream=jetstream.NAME, there=difference)
        self._difference = difference
        self._stream_ready = True

    async def _publish_again(self, client: NatsClient) -> None:
        """What nobody answered, now that somebody does. Not before: it may be much, and again and again."""
        overdue = [number for number, sent in self._unanswered.items() if sent.told]
        for done, number in enumerate(overdue, 1):
            if (sent := self._unanswered.pop(number, None)) is not None:
                self._publish(client, sent)
            if done % AT_ONCE == 0:
                await answers(client)

    def _publish(self, client: NatsClient, sent: _Sent) -> None:
        if len(self._unanswered) >= MOST_UNANSWERED:
            self.dropped += 1
            self._tell_otherwise(sent)
            return
        number = next(self._numbers)
        self._unanswered[number] = sent
        sent.at = asyncio.get_running_loop().time()
        self.published += 1
        last = subjects.id_of(sent.events[-1])
        write(client, sent.subject, subjects.encode(sent.events), f"{self._inbox}.{number}", last)

    async def _hear_answer(self, message: Msg) -> None:
        number = int(message.subject.rpartition(".")[2])
        if refusal := _refusal(message):
            self._fail(refusal)
            if (sent := self._unanswered.get(number)) is not None:
                self._tell_otherwise(sent)
            return
        self._unanswered.pop(number, None)
        self.answered += number != PROBE
        if not self._taken and asyncio.get_running_loop().time() >= self._calm_from:
            self._taken = True
            self._outage.ends()

    def _fail(self, why: str) -> None:
        """The stream may be gone: the next look makes it again."""
        self._stream_ready = self._taken = False
        self._calm_from = asyncio.get_running_loop().time() + CALM_S
        self._outage.lasts(why)

    async def _look_after_answers(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = asyncio.get_running_loop().time()
            connected = self._link.client is not None
            patience = ANSWER_S if connected else 0.0
            for number, sent in list(self._unanswered.items()):
                if now - sent.at <= patience:
                    break
                if connected and not sent.told:
                    self._fail(f"has not answered a message for {ANSWER_S:g} s")
                self._tell_otherwise(sent)
                if now - sent.born > KEEP_S:
                    del self._unanswered[number]

    def _tell_otherwise(self, sent: _Sent) -> None:
        if not sent.told and self._settings.enabled is True:
            self.fallback.tell(event.stream for event in sent.events)
        sent.told = True


def _refusal(message: Msg) -> str:
    """Why JetStream did not take a message; empty: it did."""
    if not message.data:
        return f"has nothing that takes messages: JetStream or its stream {jetstream.NAME} is gone"
    problem = _decode_answer(message.data).error
    return f"does not take a message: {problem.description}" if problem is not None else ""


def _by_subject(events: Iterable[Written]) -> Iterator[tuple[str, list[Written]]]:
    """Messages of a bounded size, the events of a subject in their order."""
    found: dict[str, list[Written]] = {}
    for event in events:
        found.setdefault(subjects.of_event(event), []).append(event)
    for subject, together in found.items():
        for first in range(0, len(together), EVENTS_A_MESSAGE):
            yield subject, together[first : first + EVENTS_A_MESSAGE]
