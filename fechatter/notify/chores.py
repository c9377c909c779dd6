"""What is done by the clock and asks the database.

end_what_ended   end the streams of sessions that ended and of users that were suspended
prune_the_log    forget what is older than clients may resume from
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import asyncpg

from fechatter import logs
from fechatter.domain.errors import Unavailable
from fechatter.notify.receiver import Receiver
from fechatter.store import pruning, replay
from fechatter.store.database import Database

RECHECK_S = 1.0
PRUNE_S = 3600.0
PRUNED_AT_ONCE = 10_000

log = logs.get(__name__)


async def end_what_ended(database: Database, streams: Callable[[], Sequence[Receiver]]) -> None:
    """Once a second, with one statement for all streams, until cancelled."""
    while True:
        await asyncio.sleep(RECHECK_S)
        open_now = streams()
        if not open_now:
            continue
        try:
            async with database.connection() as connection:
                ended = set(await replay.ended(connection, list({each.session.caller for each in open_now})))
        except (Unavailable, asyncpg.PostgresError) as error:
            log.warning("recheck.failed", error=type(error).__name__)
            continue
        for stream in open_now:
            if stream.session.caller in ended:
                stream.refuse()


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
