"""Rate limits that all servers share. A key names a limit and whose it is; times are the database's.

take    one out of an allowance, decided here
share   tell what was spent elsewhere, learn what all have spent
tidy    forget allowances that are full
"""

from collections.abc import Mapping
from datetime import timedelta

from fechatter.domain.rates import Rate, Standing
from fechatter.store.database import Connection


async def take(connection: Connection, key: str, rate: Rate) -> Standing:
    """Take one out, if there is one. Servers that ask at once do not get more than there is."""
    interval, full = timedelta(seconds=rate.interval_s), timedelta(seconds=rate.full_s)
    debt = await connection.fetchval(
        """
        INSERT INTO rate_limits AS r (key, free_at) VALUES ($1, clock_timestamp() + $2::interval)
        ON CONFLICT (key) DO UPDATE SET free_at = greatest(r.free_at, clock_timestamp()) + $2::interval
        WHERE greatest(r.free_at, clock_timestamp()) + $2::interval <= clock_timestamp() + $3::interval
        RETURNING extract(epoch FROM free_at - clock_timestamp())::float8
        """,
        key,
        interval,
        full,
    )
    if debt is not None:
        return Standing(rate, debt, allowed=True)
    debt = await connection.fetchval(
        "SELECT extract(epoch FROM free_at - clock_timestamp())::float8 FROM rate_limits WHERE key = $1", key
    )
    return Standing(rate, rate.full_s if debt is None else debt, allowed=False)


async def share(connection: Connection, spent: Mapping[str, float]) -> dict[str, float]:
    """Add the seconds that were spent of each allowance; return the seconds until each is full again."""
    rows = await connection.fetch(
        """
        INSERT INTO rate_limits AS r (key, free_at)
        SELECT n.key, clock_timestamp() + n.spent * interval '1 second'
        FROM unnest($1::text[], $2::float8[]) AS n (key, spent) ORDER BY n.key
        ON CONFLICT (key) DO UPDATE
            SET free_at = greatest(r.free_at, clock_timestamp()) + (EXCLUDED.free_at - clock_timestamp())
        RETURNING key, extract(epoch FROM free_at - clock_timestamp())::float8 AS debt
        """,
        list(spent),
        list(spent.values()),
    )
    return {row["key"]: row["debt"] for row in rows}


async def tidy(connection: Connection) -> None:
    await connection.execute("DELETE FROM rate_limits WHERE free_at < clock_timestamp() - interval '1 minute'")
