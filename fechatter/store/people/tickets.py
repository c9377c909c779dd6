"""Tickets: good for one connection, soon. For clients that cannot send a header, such as a browser's EventSource.

issue     a new ticket for a caller
redeem    whose it is; works once
"""

import secrets
from datetime import timedelta

from fechatter.domain.people import Caller
from fechatter.store.database import Connection
from fechatter.store.digests import digest_of

TTL_S = 30
"""How long a ticket is good for, in seconds."""
_CHARS = 43


async def issue(connection: Connection, caller: Caller, ttl_s: int = TTL_S) -> str:
    """A ticket that stands for `caller` once within `ttl_s` seconds. Forgets up to a hundred that nobody used."""
    ticket = secrets.token_urlsafe(32)
    await connection.execute(
        """
        WITH stale AS (
            DELETE FROM tickets WHERE hash IN (
                SELECT hash FROM tickets WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED))
        INSERT INTO tickets (hash, user_id, session_id, expires_at) VALUES ($1, $2, $3, now() + $4::interval)
        """,
        digest_of(ticket),
        caller.user_id,
        caller.session_id,
        timedelta(seconds=ttl_s),
    )
    return ticket


async def redeem(connection: Connection, ticket: str) -> Caller | None:
    """Who `ticket` stands for, or None if it is unknown, spent or expired. Spends it."""
    if len(ticket) != _CHARS:
        return None
    row = await connection.fetchrow(
        "DELETE FROM tickets WHERE hash = $1 RETURNING user_id, session_id, expires_at > now() AS good",
        digest_of(ticket),
    )
    return Caller(row["user_id"], row["session_id"]) if row is not None and row["good"] else None
