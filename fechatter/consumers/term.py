"""The time that one process is the consumer of a name: from taking the name until the connection closes.

Term.begin   where the checkpoint says that it goes on
Term.turn    the next batch: read, handed over, checkpoint written

Events that fail again and again are told from a handler that fails: handed over one by one, some of them succeed.
Only those that do not are set aside, so that one event never stops the rest for ever.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import NoReturn

import asyncpg

from fechatter import logs
from fechatter.consumers.handler import Away, Handler, Start, StartOver
from fechatter.domain.errors import DomainError, Unavailable
from fechatter.store.database import AWAY, Connection
from fechatter.store.log import consumers as store
from fechatter.store.log import replay
from fechatter.store.log.consumers import Checkpoint
from fechatter.store.log.replay import Log, LoggedEvent, Seen

BEAT_S = 5.0
TRIES = 4
"""So often a batch is handed over as a whole."""
TRIES_ALONE = 20
"""And so often one by one while none of it succeeds, which looks like the handler's fault."""
PASSING = (Away, Unavailable, *AWAY)

log = logs.get(__name__)


class Failed(Exception):
    """The batch was not handled, `times` in a row; its text names the kind of error."""

    def __init__(self, error: Exception, times: int) -> None:
        self.times = times
        told = isinstance(error, Away | DomainError)  # their texts are for operators; others may hold anything
        super().__init__(f"{type(error).__name__}: {error}" if told else type(error).__name__)


class Term:
    """Reads, hands over and writes the checkpoint, on one connection that holds the name."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        handler: Handler,
        start: Start,
        types: Sequence[str] | None,
        size: int,
    ) -> None:
        self._connection = connection
        self._name = name
        self._handler = handler
        self._start = start
        self._types = types
        self._size = size
        self._at = Checkpoint("", Seen(0))
        self._failures = 0
        self._moved = time.monotonic()
        self._lost = asyncio.Event()
        connection.add_termination_listener(self._lose)

    def _lose(self, *_about: object) -> None:
        self._lost.set()

    async def begin(self) -> None:
        """Go on from the checkpoint; make one if this is the first time."""
        found = await store.load(self._connection, self._name)
        if found is None:
            log_now = await replay.look(self._connection)
            seen = log_now.seen if self._start is Start.NOW else Seen(0)
            found = Checkpoint(log_now.epoch, seen)
            await store.save(self._connection, self._name, found)
        else:
            await store.beat(self._connection, self._name)
        self._at = found

    async def turn(self) -> bool:
        """Handle the next batch; False if there is more. Raises Failed: the same again, later."""
        batch = await store.next_batch(self._connection, self._at.seen, self._size, self._types)
        if (why := _why_over(self._at, batch.log)) is not None:
            await self._start_over(why, batch.log)
            return False
        set_aside = await self._hand_over(batch.events) if batch.events else 0
        await self._save(Checkpoint(batch.log.epoch, batch.seen), len(batch.events) - set_aside, set_aside)
        return batch.complete

    async def _start_over(self, why: StartOver, position: Log) -> None:
        """What is new from here on follows as events, so the position is the one from before the handler began."""
        log.warning("consumer.starts_over", consumer=self._name, reason=why.value)
        try:
            await self._watched(self._handler.start_over(why))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and tried again
            await self._fail(error)
        await self._save(Checkpoint(position.epoch, position.seen), 0, 0)

    async def _save(self, at: Checkpoint, handled: int, set_aside: int) -> None:
        if at != self._at or handled or set_aside or self._failures:
            await store.save(self._connection, self._name, at, handled, set_aside)
            self._at, self._failures, self._moved = at, 0, time.monotonic()
        elif time.monotonic() > self._moved + BEAT_S:
            await store.beat(self._connection, self._name)
            self._moved = time.monotonic()

    async def _hand_over(self, events: Sequence[LoggedEvent]) -> int:
        """Return how many were set aside."""
        try:
            await self._watched(self._handler.handle(events))
        except PASSING as error:
            await self._fail(error)
        except Exception as error:  # noqa: BLE001 - a handler's mistake must not end the consumer
            if self._failures + 1 < TRIES:
                await self._fail(error)
            return await self._one_by_one(events)
        return 0

    async def _one_by_one(self, events: Sequence[LoggedEvent]) -> int:
        failed: list[tuple[LoggedEvent, Exception]] = []
        for event in events:
            try:
                await self._watched(self._handler.handle([event]))
            except PASSING as error:
                await self._fail(error)
            except Exception as error:  # noqa: BLE001 - as above
                failed.append((event, error))
        if len(failed) == len(events) and self._failures + 1 < TRIES_ALONE:
            await self._fail(failed[0][1])
        for event, error in failed:
            place = f"{event.stream} {event.pos}"
            log.error("consumer.set_aside", consumer=self._name, at=place, type=event.type, error=type(error).__name__)
        return len(failed)

    async def _fail(self, error: Exception) -> NoReturn:
        self._failures += 1
        failure = Failed(error, self._failures)
        await store.beat(self._connection, self._name, str(failure))
        raise failure from error

    async def _watched(self, work: Coroutine[object, object, None]) -> None:
        """Do the handler's work with signs of life meanwhile; break it off when the name is lost."""
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            while not task.done():
                await asyncio.wait({task, lost}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
                if self._lost.is_set():
                    raise asyncpg.PostgresConnectionError("the connection that holds the name closed")
                if not task.done():
                    await store.beat(self._connection, self._name)
            task.result()
        finally:
            lost.cancel()
            task.cancel()
            await asyncio.wait({task})


def _why_over(at: Checkpoint, position: Log) -> StartOver | None:
    """Whether the log no longer holds what follows the checkpoint."""
    if at.epoch != position.epoch or at.seen.highest >= max(position.snapshot.xmax, position.floor):
        return StartOver.NEW_EPOCH
    return StartOver.PRUNED if at.seen.watermark < position.floor else None
