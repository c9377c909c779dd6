"""The far end of the event log.

prune   forget events that are older than anyone may resume from
"""

from datetime import timedelta

from fechatter.store.database import Connection

_LOCK = 0x_FEC4_0E11


async def prune(connection: Connection, retention: timedelta, at_most: int) -> int:
    """Remember where the log stands now; forget up to `at_most` events from before `retention`. Returns how many.

    One statement, so that the floor rises with what is forgotten. Two at once do not wait for each other: the second
    does nothing.
    """
    return await connection.fetchval(
        """
        WITH mine AS MATERIALIZED (
            SELECT pg_try_advisory_xact_lock($1) AS got
        ), mark AS (
            INSERT INTO event_log_marks (xid) SELECT pg_snapshot_xmin(pg_current_snapshot()) FROM mine WHERE got
            ON CONFLICT DO NOTHING
        ), bound AS MATERIALIZED (
            SELECT m.xid FROM event_log_marks m, mine
            WHERE got AND m.at < now() - $2::interval ORDER BY m.at DESC LIMIT 1
        ), gone AS (
            DELETE FROM events WHERE (stream, pos) IN (
                SELECT e.stream, e.pos FROM events e, bound WHERE e.xid < bound.xid ORDER BY e.xid LIMIT $3)
            RETURNING xid
        ), old_marks AS (
            DELETE FROM event_log_marks m USING bound WHERE m.xid < bound.xid
        ), floor AS (
            UPDATE database_identity d SET log_floor = top.above
            FROM (SELECT ((max(xid)::text)::numeric + 1)::text::xid8 AS above FROM gone) top
            WHERE top.above > d.log_floor
        )
        SELECT count(*) FROM gone
        """,
        _LOCK,
        retention,
        at_most,
    )
