"""NOTIFY by hand, and who depends on it.

notify          hint that these streams have news, as the trigger on `events` does
ask             from now on this connection's notify_server depends on NOTIFY
withdraw        it no longer does
somebody_asks   whether any notify_server does

A notify_server that hears nothing else holds a shared lock. A lock cannot be forgotten: it ends with its connection.
"""

from collections.abc import Collection

from fechatter.store.database import Connection

CHANNEL = "fechatter_events"
_LOCK = 0x_FEC4_0E12


async def notify(connection: Connection, streams: Collection[str]) -> None:
    """One statement, one commit, whatever the number of streams."""
    await connection.execute("SELECT pg_notify($1, stream) FROM unnest($2::text[]) AS stream", CHANNEL, streams)


async def ask(connection: Connection) -> None:
    await connection.execute("SELECT pg_advisory_lock_shared($1)", _LOCK)


async def withdraw(connection: Connection) -> None:
    await connection.execute("SELECT pg_advisory_unlock_shared($1)", _LOCK)


async def somebody_asks(connection: Connection) -> bool:
    return await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND classid = ($1::bigint >> 32)::int::oid AND objid = ($1::bigint & 4294967295)::oid)
        """,
        _LOCK,
    )
