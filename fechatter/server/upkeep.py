"""What a server does beside answering: short, regular, and never in the way of an answer.

run   until cancelled
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import generate_latest

from fechatter import logs
from fechatter.domain.errors import DomainError
from fechatter.server import metrics
from fechatter.server.activity import Activity
from fechatter.server.limits import RateLimits
from fechatter.siblings import Siblings
from fechatter.store.database import Connection, Database
from fechatter.store.log import consumers
from fechatter.store.messages import garbage
from fechatter.store.people import presence, rate_limits, sessions
from fechatter.store.push import subscriptions
from fechatter.store.search import backfill

TASK = "upkeep"
"""The name of its tasks: what they do is no part of a request."""
SHARE_S = 1.0
FLUSH_S = 2.0
SETTLE_S = 15.0
PUBLISH_S = 2.0
TIDY_S = 60.0
GARBAGE_STEPS = 200
"""So many times some thousand rows, then others have their turn."""

log = logs.get(__name__)


async def run(
    db: Database, limits: RateLimits, activity: Activity, siblings: Siblings, resting: Sequence[str] = ()
) -> None:
    """Share rates every second, write down activity every two, tell of lapsed presence, delete what is left over.

    Goes on through an outage of the database; several servers may do the same at once. `resting`: consumers of the
    event log that are switched off.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_every(SHARE_S, limits.share), name=TASK)
        tasks.create_task(_every(FLUSH_S, activity.flush), name=TASK)
        tasks.create_task(_every(SETTLE_S, lambda: _with(db, presence.settle)), name=TASK)
        tasks.create_task(_every(TIDY_S, lambda: _tidy(db)), name=TASK)
        tasks.create_task(_every(SETTLE_S, lambda: _with(db, _tell_search)), name=TASK)
        tasks.create_task(
            _every(SETTLE_S, lambda: _with(db, lambda connection: _tell_consumers(connection, resting))), name=TASK
        )
        tasks.create_task(metrics.watch_loop(), name=TASK)
        if siblings.total > 1:
            tasks.create_task(_every(PUBLISH_S, lambda: _publish(siblings)), name=TASK)


async def _publish(siblings: Siblings) -> None:
    siblings.publish(generate_latest())


async def _tidy(db: Database) -> None:
    await _with(db, rate_limits.tidy)
    await _with(db, sessions.tidy)
    await _with(db, subscriptions.tidy)
    for _ in range(GARBAGE_STEPS):
        if not await _delete_garbage(db):
            break


async def _tell_search(connection: Connection) -> None:
    left = await backfill.progress(connection)
    metrics.search_behind(0 if left is None else left.of - left.done)


async def _tell_consumers(connection: Connection, resting: Sequence[str]) -> None:
    metrics.consumers(await consumers.standings(connection, but=resting))


async def _delete_garbage(db: Database) -> bool:
    async with db.connection() as connection:
        return await garbage.delete_some(connection)


async def _with(db: Database, work: Callable[[Connection], Awaitable[None]]) -> None:
    async with db.connection() as connection:
        await work(connection)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except DomainError as error:
            log.warning("upkeep.failed", error=type(error).__name__)
        except Exception:
            log.exception("upkeep.failed")
