"""The one reader of new events: reads the log by snapshots, delivers in order, lets connections in between.

Sequencer.wake   there may be news, or someone waits
Sequencer.turn   one look at the log
Sequencer.run    turns, until cancelled

A turn looks at the log in one snapshot. Every event that the snapshot shows and the previous one did not is delivered,
exactly once, however late its transaction ended and whatever hint was lost. Connections that wait come in at the end
of a turn, with what the same snapshot says they may see: so nothing falls between their replay and their first event.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import asyncpg

from fechatter import logs
from fechatter.notify.cursor import Cursor
from fechatter.notify.hub import Hub
from fechatter.notify.letting_in import Place, let_in, let_in_at_once, refresh
from fechatter.notify.ordering import Ordering, Placed, in_order
from fechatter.notify.reception import Reception
from fechatter.notify.session import NEW_EPOCH, OLD
from fechatter.store.database import AWAY, Connection
from fechatter.store.log import replay as store
from fechatter.store.log.replay import Log, LoggedEvent, News, Seen

SWEEP_S = 1.0
"""The log is looked at so often at least, whether or not a hint came."""
GATHER_S = 0.004
"""From one look that brought something to the next at least: what comes meanwhile leaves together. An event that comes
alone is not held up."""
QUICK_SWEEP_S = 0.1
"""The same while hints may not come."""
CHUNK = 500
STATEMENT_TIMEOUT_S = 10.0

log = logs.get(__name__)


class Sequencer:
    """Delivers each event of the log once, in order.

    seen         what has been delivered; None until the first look
    alive        whether the last look succeeded
    looked_at    when it did, on the monotonic clock
    sweep_s      how often to look at least
    """

    def __init__(self, url: str, hub: Hub) -> None:
        self.seen: Seen | None = None
        self.alive = False
        self.looked_at = 0.0
        self.looks = 0
        self.sweep_s = SWEEP_S
        self._url = url
        self._hub = hub
        self._epoch, self._floor = "", 0
        self._woken = asyncio.Event()

    @property
    def watermark(self) -> int:
        """Every event with a lower xid has been delivered."""
        return 0 if self.seen is None else self.seen.watermark

    def wake(self) -> None:
        """There may be news, or someone waits: take a turn at once."""
        self._woken.set()

    async def run(self, reception: Reception) -> None:
        """Take turns until cancelled. While the database is away, keep trying; nothing is lost by that."""
        pause = 0.05
        while True:
            try:
                async with self._connected() as connection:
                    while True:
                        began, before = time.monotonic(), self.seen
                        await self.turn(connection, reception)
                        self.alive, self.looked_at, pause = True, time.monotonic(), 0.05
                        await self._rest(reception)
                        if self.seen != before and not reception.arrivals:
                            await asyncio.sleep(began + GATHER_S - time.monotonic())
            except (*AWAY, asyncpg.PostgresError) as error:
                log.warning("sequencer.lost", error=type(error).__name__)
            finally:
                self.alive = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(pause * 2, 2.0)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        connection = await asyncpg.connect(
            self._url,
            timeout=STATEMENT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings={"application_name": "fechatter sequencer", "timezone": "UTC"},
        )
        try:
            yield connection
        finally:
            connection.terminate()

    async def _rest(self, reception: Reception) -> None:
        """Until there may be something to do, at most `sweep_s`."""
        if reception.arrivals or self._hub.stale:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(self.sweep_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def turn(self, connection: Connection, reception: Reception) -> None:
        """Deliver what is new, and let in who waits. If it fails, the next turn does it."""
        self._woken.clear()
        self.looks += 1
        waiting = reception.waiting()  # who comes later may have caught up with more than this turn's snapshot shows
        if self.seen is not None and not self._hub.stale and reception.know(waiting):
            news = await store.new_events(connection, self.seen)
            if news.complete and self._why_reload(news.log) is None:
                seen = await self._deliver_all(self.seen, news)
                if not self._hub.stale:  # who sees more must reload before another device of theirs comes in with it
                    let_in_at_once(self._hub, reception, waiting, Place(self._epoch, seen, news.log.floor))
                return
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            seen = await self._sweep(connection, reception)
            place = Place(self._epoch, seen, self._floor)  # which the sweep may have changed
            await refresh(connection, self._hub, place)
            await let_in(connection, self._hub, reception, waiting, place)

    async def _sweep(self, connection: Connection, reception: Reception) -> Seen:
        """Deliver what is new in the transaction's snapshot; return what has been delivered then."""
        if self.seen is None:
            return self._begin(await store.look(connection))
        news = await store.new_events(connection, self.seen)
        self._floor = news.log.floor
        if (reason := self._why_reload(news.log)) is not None:
            seen = self._begin(news.log)
            self._reload_all(reception, reason)
            return seen
        if news.complete:
            return await self._deliver_all(self.seen, news)
        return await self._deliver_in_chunks(connection, self.seen, news.log)

    def _why_reload(self, position: Log) -> str | None:
        """Why the connections cannot go on from what they were sent; None if they can.

        A server that was cut off from the database for longer than the log is kept has missed what was pruned.
        """
        if position.epoch != self._epoch:
            return NEW_EPOCH
        return OLD if position.floor > self.watermark else None

    def _begin(self, position: Log) -> Seen:
        self._epoch, self._floor, self.seen = position.epoch, position.floor, position.seen
        self._hub.sent.clear()
        return self.seen

    async def _deliver_all(self, seen: Seen, news: News) -> Seen:
        after = seen.after(news.log.snapshot, news.events[-1].xid if news.events else 0)
        await self._send(in_order(self._not_sent(news.events)), after.watermark, last=True)
        self.seen = after
        self._hub.sent.clear()
        return after

    async def _deliver_in_chunks(self, connection: Connection, seen: Seen, position: Log) -> Seen:
        """Deliver any number of events in bounded memory. If it breaks off, the next turn goes on where it was."""
        after = seen.after(position.snapshot, position.highest)
        first = await store.first_new(connection, seen)
        ordering = Ordering({stream: max(pos, self._hub.sent.get(stream, 0) + 1) for stream, pos in first.items()})
        async for events in store.stream_new(connection, seen, CHUNK):
            await self._send(ordering.push(self._not_sent(events)), after.watermark)
            await asyncio.sleep(0)  # let the connections flush
        await self._send(ordering.finish(), after.watermark, last=True)
        self.seen = after
        self._hub.sent.clear()
        return after

    def _not_sent(self, events: list[LoggedEvent]) -> list[LoggedEvent]:
        """Without what a look that broke off has sent."""
        sent = self._hub.sent
        return [event for event in events if event.pos > sent.get(event.stream, 0)] if sent else events

    async def _send(self, placed: Iterable[Placed], watermark: int, *, last: bool = False) -> None:
        """Deliver; each event's cursor says what is complete before it, the very last one's what is after it."""
        batch = [(event, min(floor, watermark)) for event, floor in placed]
        if batch:
            if last:
                batch[-1] = (batch[-1][0], watermark)
            await self._hub.deliver([(event, Cursor(self._epoch, xid)) for event, xid in batch])
        if last:
            self._hub.settle()

    def _reload_all(self, reception: Reception, reason: str) -> None:
        """The database is another one, or has forgotten what was missed: what was sent is no base to go on from."""
        for receiver in list(self._hub.receivers()):
            self._hub.detach(receiver)
            receiver.session.reload(reason)
            reception.arrive(receiver)
