"""The event log, made to look as if it were old."""

from datetime import timedelta

from fechatter.store.database import Database
from fechatter.store.log import pruning
from tests.support.waiting import eventually


async def forget(db: Database) -> None:
    """Prune all events there are.

    A mark lies below whatever transaction runs when it is made, of whomever: one of the next lies above.
    """

    async def forgotten() -> bool:
        async with db.connection() as connection:
            await pruning.prune(connection, timedelta(0), 10_000)
        return not await db.fetch_value("SELECT count(*) FROM events")

    await eventually(forgotten, "the log is forgotten")
