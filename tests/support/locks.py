"""Waiting until statements wait for each other: how a test makes a race fall one way."""

import asyncio

from fechatter.store.database import Database
from tests.support.waiting import PATIENCE_S

_LOOK_S = 0.01


async def until_waiting(db: Database, count: int) -> None:
    """Return once at least `count` statements of the database wait for a lock."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            waiting = await db.fetch_value(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if waiting >= count:
                return
            await asyncio.sleep(_LOOK_S)
