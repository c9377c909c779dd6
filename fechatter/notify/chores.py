"""What is done by the clock and asks the database.

end_what_ended   end the streams of sessions that ended and of users that were suspended
tell_presence    say whose streams are open here
prune_the_log    forget what is older than clients may resume from
publish_metrics  show the other processes of this machine what is counted here
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Protocol

import asyncpg

from fechatter import logs
from fechatter.domain.errors import Unavailable
from fechatter.notify.metrics import Metrics
from fechatter.notify.receiver import Receiver
from fechatter.siblings import Siblings
from fechatter.store.database import Database
from fechatter.store.log import pruning, replay
from fechatter.store.people import presence

RECHECK_S = 1.0
GLANCE_S = 1.0
TOUCH_S = 20.0
AWAY_S = 5.0
"""Who comes back within this time, as a page that is loaded again does, was not gone."""
PRUNE_S = 3600.0
PRUNED_AT_ONCE = 10_000
PUBLISH_S = 2.0

log = logs.get(__name__)


class Streams(Protocol):
    """The open streams of this process."""

    def all(self) -> Sequence[Receiver]: ...

    def some(self) -> Sequence[Receiver]:
        """Another part of them at each call."""
        ...


async def end_what_ended(database: Database, streams: Streams) -> None:
    """Once a second, until cancelled: two short statements, whatever the number of streams.

    Who lost access lately is asked for as such. That leaves out what a jump of the database's clock hides, and rows
    that were deleted; for these a part of all streams is looked up each time.
    """
    known: set[replay.Loss] = set()
    while True:
        await asyncio.sleep(RECHECK_S)
        part = streams.some()
        try:
            async with database.connection() as connection:
                lately = await replay.lately_ended(connection)
                gone = await replay.ended(connection, {each.session.caller for each in part})
        except (Unavailable, asyncpg.PostgresError) as error:
            log.warning("recheck.failed", error=type(error).__name__)
            continue
        if fresh := lately - known:
            _refuse(streams.all(), fresh)
        for stream in part:
            if stream.session.caller in gone:
                stream.refuse()
        known = lately


def _refuse(streams: Sequence[Receiver], losses: Collection[replay.Loss]) -> None:
    sessions = {loss.session_id for loss in losses}
    users = {loss.user_id for loss in losses if loss.session_id is None}
    for stream in streams:
        caller = stream.session.caller
        if caller.session_id in sessions or caller.user_id in users:
            stream.refuse()


async def tell_presence(database: Database, users: Callable[[], set[int]]) -> None:
    """Newcomers within a second, everyone every 20 s, and those who have been gone for 5 s; until cancelled."""
    now = asyncio.get_running_loop().time
    told: set[int] = set()
    gone: dict[int, float] = {}
    touched = now()
    while True:
        await asyncio.sleep(GLANCE_S)
        again = now() - touched >= TOUCH_S
        here = users()
        present = here if again else here - told
        gone = {user_id: gone.get(user_id, now()) for user_id in told - here}
        left = {user_id for user_id, since in gone.items() if now() - since >= AWAY_S}
        if not (present or left):
            continue
        try:
            async with database.connection() as connection:
                if present:
                    await presence.touch(connection, present)
                if left:
                    await presence.leave(connection, left)
        except (Unavailable, asyncpg.PostgresError) as error:
            log.warning("presence.failed", error=type(error).__name__)
            continue
        told = (told | here) - left
        touched = now() if again else touched


async def prune_the_log(database: Database, retention: timedelta) -> None:
    """Now and every hour, in small steps, until cancelled."""
    pause = 0.0
    while True:
        await asyncio.sleep(pause)
        pause = PRUNE_S
        try:
            async with database.connection() as connection:
                if await pruning.prune(connection, retention, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
                    pause = 0.1  # there is more
        except (Unavailable, asyncpg.PostgresError) as error:
            log.warning("prune.failed", error=type(error).__name__)


async def publish_metrics(siblings: Siblings, metrics: Metrics) -> None:
    """Every 2 s, until cancelled; at once returns where there are no others."""
    while siblings.total > 1:
        siblings.publish(metrics.text())
        await asyncio.sleep(PUBLISH_S)
