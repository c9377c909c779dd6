"""The indexer: keeps Meilisearch's index like the database, by following the event log.

Indexer.run    until cancelled; any number may run, one works
Indexer.wake   there may be news

Meilisearch's data can vanish, or be put back as it was last week, without telling anybody. So with each batch the
indexer writes a mark into the index, which counts up, and remembers it in the database. A lower mark in the index says
that it lacks something: it is caught up from the place in the log that the mark names, or built anew where that place
is no longer in the log. Until then the index is not asked (fechatter/search/meilisearch/index.py).
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from logging import INFO, WARNING
from typing import Self

import asyncpg

from fechatter import logs
from fechatter.config import Settings
from fechatter.consumers.consumer import Consumer
from fechatter.consumers.handler import Start, StartOver
from fechatter.domain.errors import DomainError
from fechatter.search.meilisearch.building import BuildUnderWay, build
from fechatter.search.meilisearch.documents import VERSION
from fechatter.search.meilisearch.following import TYPES, apply, follow
from fechatter.search.meilisearch.server import LIVE, Mark, Refused, Server
from fechatter.store.database import AWAY, Database
from fechatter.store.log import consumers, replay
from fechatter.store.log.replay import LoggedEvent
from fechatter.store.search import meilisearch_state as state
from fechatter.store.search.meilisearch_state import CONSUMER

CARE_S = 5.0
BATCH = 2_000
POLL_S = 0.5
"""The worker wakes it at each hint, whatever carries it; a hint may be lost, so it looks so often without one."""
LONGEST_PAUSE_S = 30.0
_CONNECTIONS = 4

log = logs.get(__name__)


class Indexer:
    """A handler of the event log, and the care for the index beside it.

    consumer   hands the events over
    """

    def __init__(self, url: str, db: Database, server: Server, care_s: float = CARE_S) -> None:
        self.consumer = Consumer(url, CONSUMER, self, start=Start.BEGINNING, types=TYPES, batch=BATCH, poll_s=POLL_S)
        self._db = db
        self._server = server
        self._care_s = care_s
        self._turn = asyncio.Lock()  # events and care take turns with the index
        self._wants_build = asyncio.Event()
        self._why_build = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, care_s: float = CARE_S) -> AsyncGenerator[Self]:
        db = await Database.open(settings.server.db_url, _CONNECTIONS, "fechatter indexer")
        try:
            async with Server.open(settings.search) as server:
                yield cls(settings.server.db_url, db, server, care_s)
        finally:
            await db.close()

    def wake(self) -> None:
        self.consumer.wake()

    async def run(self) -> None:
        """Follow the log, look after the index, build it when it has to be."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.consumer.run())
            group.create_task(self._care())
            group.create_task(self._build_when_wanted())

    async def handle(self, events: Sequence[LoggedEvent]) -> None:
        """Write what the events changed; what comes while there is no index, a build brings in."""
        async with self._turn:
            mark = await self._ready()
            if mark is not None:
                await self._write(events, mark)

    async def start_over(self, why: StartOver) -> None:
        """The log does not tell what was missed, so the index is not asked until it was built anew."""
        await self._order_build(f"log {why.value}")

    async def _write(self, events: Sequence[LoggedEvent], mark: int) -> None:
        """The mark names the checkpoint from before these events: from there on, nothing is missing."""
        async with self._db.connection() as connection:
            at = await consumers.load(connection, CONSUMER)
        assert at is not None, "a consumer at work has a checkpoint"
        own = self._server.mark_entry(mark + 1, at.epoch, at.seen)
        await apply(self._db, self._server, LIVE, events, [own])
        async with self._db.connection() as connection:
            await state.set_mark(connection, mark + 1)

    async def _ready(self) -> int | None:
        """The mark of an index that lacks nothing but what is new; None if it has to be built."""
        plate, found = await asyncio.gather(self._server.plate(LIVE), self._server.mark(LIVE))
        async with self._db.connection() as connection:
            known = await state.look(connection)
            under_way = await state.load(connection)
        if plate is None or found is None:
            await self._order_build("there is no index")
            return None
        if under_way is not None and plate.build == under_way.id:
            # It was put in place a moment ago: who built it brings in the rest, or we do if they have ended.
            await self._order_build("the last step is left", serving=True)
            return max(found.mark, known.mark)
        if found.mark < known.mark:
            if not await self._restore(found, known.mark):
                return None
        elif not known.serving:
            await self._order_build("it was not whole")  # and who was to build it has ended before
        if plate.version != VERSION:
            await self._order_build("it is of another version", serving=True)
        return max(found.mark, known.mark)

    async def _restore(self, found: Mark, mark: int) -> bool:
        """Bring in what the index has lost; False if it has to be built."""
        log.warning("search.index_lost_changes", mark=found.mark, known=mark)
        async with self._db.connection() as connection:
            await state.set_serving(connection, False)
            position = await replay.look(connection)
        if found.epoch != position.epoch or found.seen.watermark < position.floor:
            await self._order_build("it lacks what the log no longer holds")
            return False
        seen = found.seen
        async for reached in follow(self._db, self._server, LIVE, found.seen):
            seen = reached
        async with self._db.connection() as connection:
            await state.set_serving(connection, True)
        await self._server.put(LIVE, [self._server.mark_entry(mark, position.epoch, seen)])
        log.info("search.index_restored", mark=mark)
        return True

    async def _order_build(self, why: str, *, serving: bool = False) -> None:
        """`serving`: the index may be asked until then."""
        if not serving:
            async with self._db.connection() as connection:
                await state.set_serving(connection, False)
        if why != self._why_build:
            log.info("search.build_wanted", reason=why)
            self._why_build = why
        self._wants_build.set()

    async def _care(self) -> None:
        """Notice also without news that the index has been lost, put back or is of another version."""
        complained = ""
        while True:
            if self.consumer.at_work:
                complaint = await self._looked_after()
                if complaint != complained:
                    log.log(WARNING if complaint else INFO, "search.index_looked_after", error=complaint or None)
                complained = complaint
            await asyncio.sleep(self._care_s)

    async def _looked_after(self) -> str:
        """What is wrong; empty: nothing."""
        try:
            async with self._turn:
                await self._ready()
        except DomainError as error:
            return error.detail
        except (*AWAY, asyncpg.PostgresError, Refused) as error:
            return type(error).__name__
        return ""

    async def _build_when_wanted(self) -> None:
        pause = 0.5
        while True:
            await self._wants_build.wait()
            try:
                await build(self._db, self._server, lambda _progress: None)
            except BuildUnderWay:
                pause = 1.0  # by hand; it is looked at again when that is done
            except (DomainError, Refused, *AWAY, asyncpg.PostgresError) as error:
                log.warning(
                    "search.build_failed", error=str(error) if isinstance(error, DomainError) else type(error).__name__
                )
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            self._wants_build.clear()
            pause = 0.5
