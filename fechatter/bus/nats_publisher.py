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
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from fechatter import logs
from fechatter.bus import jetstream, subjects
from fechatter.bus.fallback import Fallback
from fechatter.bus.nats_link import NatsLink, answers, subscribe, write
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
STREAM_RETRY_S = 1.0

log = logs.get(__name__)


class _Sent(msgspec.Struct):
    """A message that JetStream has not answered.

    born   when its events were committed
    at     when it was published last
    told   whether its streams went by NOTIFY too
    """

    born: float
    subject: str
    events: list[Written]
    at: float = 0.0
    told: bool = False


class _Answer(msgspec.Struct):
    """JetStream's PubAck."""

    error: msgspec.Raw | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_FAILURES = (nats.errors.Error, OSError, asyncio.TimeoutError)


class NatsPublisher:
    """Tells NATS what was committed.

    published, answered   messages with news
    dropped               messages that were not published, since too many were unanswered
    _stream_ready         whether JetStream's stream is there, as far as is known
    _overdue              whether the last thing heard of JetStream is that it did not answer in time
    """

    def __init__(self, settings: Messaging, name: str) -> None:
        self.published = self.answered = self.dropped = 0
        self.fallback = Fallback()
        self._settings = settings
        self._link = NatsLink(settings, name)
        self._inbox = ""
        self._numbers = count(1)
        self._unanswered: dict[int, _Sent] = {}
        self._stream_ready = False
        self._overdue = False

    @property
    def alive(self) -> bool:
        """Whether NATS takes and keeps what is published."""
        return self._link.client is not None and self._stream_ready and not self._overdue

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
            await asyncio.sleep(STREAM_RETRY_S)

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
        except _FAILURES as error:
            log.info("nats.not_flushed", error=type(error).__name__)

    async def _use(self, client: Client) -> None:
        """What belongs to one connection."""
        self._inbox = client.new_inbox()
        self._stream_ready = False
        await subscribe(client, f"{self._inbox}.*", self._hear_answer)
        while True:
            if not self._stream_ready:
                await self._make_ready(client)
            await asyncio.sleep(STREAM_RETRY_S)

    async def _make_ready(self, client: Client) -> None:
        """Make the stream, and publish again what nobody answered."""
        try:
            await jetstream.ensure_stream(client, self._settings)
        except (*_FAILURES, nats.js.errors.Error) as error:
            log.warning("nats.no_stream", error=jetstream.explain(error))
            return
        self._stream_ready, self._overdue = True, False
        for done, number in enumerate(list(self._unanswered), 1):
            if (sent := self._unanswered.pop(number, None)) is not None:
                self._publish(client, sent)
            if done % AT_ONCE == 0:
                await answers(client)

    def _publish(self, client: Client, sent: _Sent) -> None:
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
        if message.data and _decode_answer(message.data).error is None:
            self._unanswered.pop(number, None)
            self.answered += 1
            self._overdue = False
        elif (sent := self._unanswered.get(number)) is not None:
            self._stream_ready = False  # nobody takes it, or it cannot be stored
            self._tell_otherwise(sent)

    async def _look_after_answers(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = asyncio.get_running_loop().time()
            patience = ANSWER_S if self._link.client is not None else 0.0
            for number, sent in list(self._unanswered.items()):
                if now - sent.at <= patience:
                    break
                self._overdue = True
                self._stream_ready = False  # it may be gone: the next look makes it again
                self._tell_otherwise(sent)
                if now - sent.born > KEEP_S:
                    del self._unanswered[number]

    def _tell_otherwise(self, sent: _Sent) -> None:
        if not sent.told and self._settings.enabled is True:
            self.fallback.tell(event.stream for event in sent.events)
        sent.told = True


def _by_subject(events: Iterable[Written]) -> Iterator[tuple[str, list[Written]]]:
    """Messages of a bounded size, the events of a subject in their order."""
    found: dict[str, list[Written]] = {}
    for event in events:
        found.setdefault(subjects.of_event(event), []).append(event)
    for subject, together in found.items():
        for first in range(0, len(together), EVENTS_A_MESSAGE):
            yield subject, together[first : first + EVENTS_A_MESSAGE]
