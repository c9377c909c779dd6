"""The worker: what nobody waits for. Makes thumbnails, deletes what is left over, keeps the built-in search quick,
feeds Meilisearch, sends pushes.

run(settings)   until SIGTERM or SIGINT

Any number may run at once, on any machine that reaches the database and the files: each takes what no other has.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from fechatter import logs
from fechatter.bus import subjects
from fechatter.bus.carriers import Carriers
from fechatter.bus.interest import Interest
from fechatter.config import Settings
from fechatter.domain.errors import DomainError
from fechatter.files.cleaning import clean_up
from fechatter.files.storage import open_storage
from fechatter.files.thumbnails import make_due
from fechatter.push import worker as push
from fechatter.search import upkeep
from fechatter.store.database import Database
from fechatter.store.migrate import check_schema

THUMBNAILS_S = 0.5
CLEANING_S = 60.0
FLUSH_S = 1.0
COMPLETE_S = 5.0
PRUNE_S = 300.0
_CONNECTIONS = 4

log = logs.get(__name__)


async def run(settings: Settings) -> None:
    """Raises OperatorError if the database is away or of another schema; later outages are waited out."""
    db = await Database.open(settings.server.db_url, _CONNECTIONS, "fechatter_worker")
    try:
        async with db.connection() as connection:
            await check_schema(connection)
        storage = open_storage(settings)
        work = asyncio.gather(
            _every(THUMBNAILS_S, lambda: make_due(db, storage)),
            _every(CLEANING_S, lambda: clean_up(db, storage)),
            _every(FLUSH_S, lambda: upkeep.flush(db)),
            _every(COMPLETE_S, lambda: upkeep.complete(db)),
            _every(PRUNE_S, lambda: upkeep.prune(db)),
            *([_index(settings)] if settings.search.enabled else []),
            *([push.run(settings, db)] if settings.push.enabled else []),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with suppress(asyncio.CancelledError):  # a cancelled gather() does not count as cancelled()
            await work
    finally:
        await db.close()


async def _index(settings: Settings) -> None:
    """Follow the event log into Meilisearch, woken by hints."""
    # Meilisearch's client is much to load, and most workers do without.
    from fechatter.search.indexer import Indexer

    async with Indexer.open(settings) as indexer:
        interest = Interest()
        interest.gain(subjects.ALL)
        bus = Carriers.of(settings, interest, "fechatter worker")
        await asyncio.gather(indexer.run(), bus.run(lambda _stream: indexer.wake(), lambda _news: None))


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """A failure is told and tried again; what is under way when the end comes is found again by the next worker."""
    while True:
        try:
            await work()
        except (DomainError, asyncpg.PostgresError) as error:
            log.warning("work.failed", error=type(error).__name__)
        await asyncio.sleep(seconds)
