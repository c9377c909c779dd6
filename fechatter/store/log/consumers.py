"""How far each consumer of the event log has got, and what comes next for it.

take         become the one that works under a name, until the connection closes
load         the checkpoint of a name; None before its first
save         move it on: what is below has been handled
beat         still at work, or failing
next_batch   the next events after a checkpoint, whole transactions together
exist        whether the schema knows of them
standings    all consumers and how far each is behind
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from fechatter.store.database import Connection, struct_from
from fechatter.store.log.replay import (
    EVENT_COLUMNS,
    LOG,
    LOGGED,
    WITH_MESSAGE,
    Log,
    LoggedEvent,
    Seen,
    event_from,
    log_from,
)

MOST_COUNTED = 100_000
"""Who is further behind than so many events is said to be so many behind: counting has to stay cheap."""
_LOCK = 0x_0FEC_0012


class Checkpoint(msgspec.Struct, frozen=True):
    """What has been handled of the log of an epoch."""

    epoch: str
    seen: Seen


class Batch(msgspec.Struct, frozen=True):
    """Events in xid order; once they are handled, `seen` is. Not `complete`: there is more."""

    log: Log
    events: list[LoggedEvent]
    seen: Seen
    complete: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer, as operators see it. `behind_s`: the age of the oldest event that waits for it."""

    name: str
    current_epoch: bool
    behind: int
    behind_s: float
    handled: int
    set_aside: int
    failure: str | None
    failing_since: datetime | None
    beat_at: datetime


async def take(connection: Connection, name: str, stale_after: timedelta) -> bool:
    """Whether the name is this connection's now. Who holds it without a beat for `stale_after` is cut off first."""
    return await connection.fetchval(
        """
        WITH stuck AS MATERIALIZED (
            SELECT pg_terminate_backend(l.pid) FROM pg_locks l, log_consumers c
            WHERE c.name = $2 AND c.beat_at < clock_timestamp() - $3::interval
              AND l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND l.classid::bigint = $1::int AND l.objid::bigint = hashtext($2)::bigint & 4294967295
        ), counted AS MATERIALIZED (
            SELECT count(*) FROM stuck
        )
        SELECT pg_try_advisory_lock($1::int, hashtext($2)) FROM counted
        """,
        _LOCK,
        name,
        stale_after,
    )


async def load(connection: Connection, name: str) -> Checkpoint | None:
    row = await connection.fetchrow("SELECT epoch, highest, pending FROM log_consumers WHERE name = $1", name)
    return None if row is None else Checkpoint(row["epoch"], Seen(row["highest"], tuple(row["pending"])))


async def save(connection: Connection, name: str, at: Checkpoint, handled: int = 0, set_aside: int = 0) -> None:
    """Only the holder of the name may; after `handled` events more, of which none will come again."""
    await connection.execute(
        """
        INSERT INTO log_consumers AS c (name, epoch, highest, pending, handled, set_aside)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET
            epoch = excluded.epoch, highest = excluded.highest, pending = excluded.pending,
            handled = c.handled + excluded.handled, set_aside = c.set_aside + excluded.set_aside,
            failure = NULL, failing_since = NULL, beat_at = clock_timestamp(), updated_at = now()
        """,
        name,
        at.epoch,
        at.seen.highest,
        at.seen.pending,
        handled,
        set_aside,
    )


async def beat(connection: Connection, name: str, failure: str | None = None) -> None:
    """The holder is alive; with `failure`, what it just failed with. A success is told by `save`."""
    await connection.execute(
        """
        UPDATE log_consumers SET beat_at = clock_timestamp(), failure = coalesce($2, failure),
            failing_since = CASE WHEN $2::text IS NULL THEN failing_since ELSE coalesce(failing_since, now()) END
        WHERE name = $1
        """,
        name,
        failure,
    )


async def next_batch(connection: Connection, seen: Seen, size: int, types: Sequence[str] | None = None) -> Batch:
    """About `size` events of `types` (None: all), in one statement. A transaction is never cut, however large it is.

    Between transactions the order is the one in which they began to write. Who minds in which order two of them
    changed the same stream compares `pos`.
    """
    rows = await connection.fetch(
        f"""
        WITH fresh AS MATERIALIZED (
            (SELECT {LOGGED} FROM events WHERE xid = ANY($2::xid8[]) ORDER BY xid FETCH FIRST $3 ROWS WITH TIES)
            UNION ALL
            (SELECT {LOGGED} FROM events WHERE xid > $1 ORDER BY xid FETCH FIRST $3 ROWS WITH TIES)
        ), batch AS MATERIALIZED (
            SELECT * FROM fresh ORDER BY xid FETCH FIRST $3 ROWS WITH TIES
        )
        SELECT log.*, reach.*, {EVENT_COLUMNS}
        FROM ({LOG}) log CROSS JOIN (SELECT max(xid) AS top, count(*) AS count FROM batch) reach
        LEFT JOIN (SELECT * FROM batch WHERE $4::text[] IS NULL OR type = ANY($4)) e ON true {WITH_MESSAGE}
        ORDER BY e.xid, e.stream, e.pos
        """,
        seen.highest,
        seen.pending,
        size,
        types,
    )
    log, top, complete = log_from(rows[0]), rows[0]["top"], rows[0]["count"] < size
    reached = seen.after(log.snapshot, top or 0) if complete else seen.through(log.snapshot, top)
    return Batch(log, [event_from(row) for row in rows if row["event_stream"] is not None], reached, complete)


async def exist(connection: Connection) -> bool:
    """Whether the schema knows of consumers."""
    return await connection.fetchval("SELECT to_regclass('log_consumers') IS NOT NULL")


async def standings(connection: Connection, but: Sequence[str] = ()) -> list[Standing]:
    """All `but` those that are switched off: their events wait for nobody."""
    rows = await connection.fetch(
        """
        SELECT c.name, c.epoch = d.epoch AS current_epoch, c.handled, c.set_aside, c.failure, c.failing_since,
               c.beat_at, waiting.behind,
               coalesce(greatest(extract(epoch FROM clock_timestamp() - waiting.oldest), 0), 0)::float8 AS behind_s
        FROM log_consumers c CROSS JOIN database_identity d
        CROSS JOIN LATERAL (
            SELECT count(*) AS behind, min(at) AS oldest FROM (
                (SELECT at FROM events WHERE xid = ANY(c.pending) LIMIT $1)
                UNION ALL
                (SELECT at FROM events WHERE xid > c.highest ORDER BY xid LIMIT $1)) e) waiting
        WHERE c.name <> ALL($2::text[]) ORDER BY c.name
        """,
        MOST_COUNTED,
        but,
    )
    return [struct_from(row, Standing) for row in rows]
