"""What the product knows of its index in Meilisearch.

look            whether it may be asked, and its mark
set_serving     it may be asked, or not
set_mark        how far its own count has come
claim           the one that builds a new index, until the connection closes
load, keep, finish     the build under way
may_be_asked    whether the index is whole and the consumer that feeds it keeps up
"""

from datetime import timedelta

import msgspec

from fechatter.store.database import Connection
from fechatter.store.log.replay import Seen

CONSUMER = "meilisearch"
"""The name under which the index follows the event log."""
_LOCK = 0x_0FEC_0013


def switched_off(*, enabled: bool) -> tuple[str, ...]:
    """The consumers that rest while Meilisearch is not used."""
    return () if enabled else (CONSUMER,)


class State(msgspec.Struct, frozen=True):
    serving: bool
    mark: int


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """An index under construction. `seen`: the changes that it has; `next_id`: None once all messages are in it."""

    id: str
    version: int
    epoch: str
    seen: Seen
    next_id: int | None
    done: int


async def look(connection: Connection) -> State:
    row = await connection.fetchrow("SELECT serving, mark FROM meilisearch")
    assert row is not None, "meilisearch has no row: the database was not migrated"
    return State(row["serving"], row["mark"])


async def set_serving(connection: Connection, serving: bool) -> None:
    await connection.execute("UPDATE meilisearch SET serving = $1 WHERE serving <> $1", serving)


async def set_mark(connection: Connection, mark: int) -> None:
    await connection.execute("UPDATE meilisearch SET mark = greatest(mark, $1)", mark)


async def claim(connection: Connection) -> bool:
    return await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)


async def load(connection: Connection) -> Build | None:
    row = await connection.fetchrow("SELECT * FROM meilisearch")
    if row is None or row["build_id"] is None:
        return None
    return Build(
        id=row["build_id"],
        version=row["build_version"],
        epoch=row["build_epoch"],
        seen=Seen(row["build_highest"], tuple(row["build_pending"])),
        next_id=row["build_next_id"],
        done=row["build_done"],
    )


async def keep(connection: Connection, build: Build) -> None:
    """As it is now: from here it goes on when it is interrupted."""
    await connection.execute(
        """
        UPDATE meilisearch SET build_id = $1, build_version = $2, build_epoch = $3, build_highest = $4,
            build_pending = $5, build_next_id = $6, build_done = $7
        """,
        build.id,
        build.version,
        build.epoch,
        build.seen.highest,
        build.seen.pending,
        build.next_id,
        build.done,
    )


async def finish(connection: Connection, build: Build) -> None:
    """What was built is what serves. An indexer that has never run goes on from there."""
    await connection.execute(
        """
        WITH start AS (
            INSERT INTO log_consumers (name, epoch, highest, pending) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
        )
        UPDATE meilisearch SET serving = true, build_id = NULL, build_version = NULL, build_epoch = NULL,
            build_highest = NULL, build_pending = NULL, build_next_id = NULL, build_done = 0
        """,
        CONSUMER,
        build.epoch,
        build.seen.highest,
        build.seen.pending,
    )


async def may_be_asked(connection: Connection, consumer: str, patience: timedelta) -> bool:
    """Whether the index is whole, and no change waits for `consumer` for longer than `patience`."""
    return await connection.fetchval(
        """
        SELECT m.serving AND EXISTS (
            SELECT FROM log_consumers c, database_identity d WHERE c.name = $1 AND c.epoch = d.epoch AND NOT EXISTS (
                SELECT FROM (
                    (SELECT e.at FROM events e WHERE e.xid > c.highest ORDER BY e.xid LIMIT 1)
                    UNION ALL
                    (SELECT e.at FROM events e WHERE e.xid = ANY(c.pending) ORDER BY e.xid LIMIT 1)) oldest
                WHERE oldest.at < clock_timestamp() - $2::interval))
        FROM meilisearch m
        """,
        consumer,
        patience,
    )
