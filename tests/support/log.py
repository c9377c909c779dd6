"""The event log, as time and moves leave it.

forget(…)              what was is pruned
come_from_afar(…)      what was came with a dump of another cluster, and a new epoch begins
"""

from datetime import timedelta

from fechatter.store import migrate
from fechatter.store.database import Connection, Database
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


async def come_from_afar(connection: Connection) -> None:
    """The xids of the cluster that wrote the log, and of those who followed it there, are far above this one's."""
    for table, column in (("events", "xid"), ("log_consumers", "highest")):
        await connection.execute(f"UPDATE {table} SET {column} = ({column}::text::bigint + 1000000000)::text::xid8")
    await migrate.new_epoch(connection)
