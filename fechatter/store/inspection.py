"""What `fechatter doctor` wants to know of a database.

inspect   version, durability settings, clock and epoch in one look
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from fechatter.store.database import Connection

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True)
class Inspection:
    """`clock_ahead_s`: how far the database's clock is ahead of this machine's, give or take one round trip."""

    version: str
    version_number: int
    database: str
    durability: Mapping[str, str]
    clock_ahead_s: float


async def inspect(connection: Connection) -> Inspection:
    before = time.time()
    row = await connection.fetchrow(
        """
        SELECT extract(epoch FROM clock_timestamp())::float8 AS clock, current_database() AS name,
               current_setting('server_version') AS version, current_setting('server_version_num')::int AS number
        """
    )
    after = time.time()
    if row is None:
        raise LookupError("a SELECT without FROM gives one row")
    settings = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY($1)", list(DURABILITY))
    return Inspection(
        version=row["version"],
        version_number=row["number"],
        database=row["name"],
        durability={each["name"]: each["setting"] for each in settings},
        clock_ahead_s=row["clock"] - (before + after) / 2,
    )
