"""Sessions and their refresh tokens.

start          a session with its first refresh token
is_live        whether a caller may go on
rotate         spend a refresh token and get the next
end            end a session at once
"""

import hashlib
import secrets
from datetime import timedelta
from enum import Enum, auto

import msgspec

from fechatter.domain.people import Caller
from fechatter.store.database import Connection

GRACE_S = 30
"""The last spent token may come again for this long: two tabs, or an answer that was lost."""


class Refusal(Enum):
    """Why a refresh token was not taken."""

    UNKNOWN = auto()
    REUSED = auto()  # an older token came back: someone else has it, so the whole session has been ended


class Rotated(msgspec.Struct, frozen=True):
    caller: Caller
    refresh_token: str


async def start(
    connection: Connection, user_id: int, *, ttl_s: int, user_agent: str, address: str
) -> tuple[Caller, str]:
    """Begin a session for `user_id`; return it with its first refresh token."""
    session_id = await connection.fetchval(
        "INSERT INTO sessions (user_id, user_agent, address) VALUES ($1, $2, $3) RETURNING id",
        user_id,
        user_agent,
        address,
    )
    return Caller(user_id, session_id), await _issue(connection, session_id, ttl_s)


async def is_live(connection: Connection, caller: Caller) -> bool:
    """Whether the session goes on and its user may use it."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM sessions s JOIN users u ON u.id = s.user_id
                WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND u.status = 'Active')
            """,
            caller.session_id,
            caller.user_id,
        )
    )


async def rotate(connection: Connection, refresh_token: str, ttl_s: int) -> Rotated | Refusal:
    """Spend `refresh_token` and return its session with the next one; ends the session on reuse."""
    row = await connection.fetchrow(
        """
        SELECT t.session_id, s.user_id, t.spent_at IS NULL AS fresh,
               t.spent_at > now() - $2::interval AND NOT EXISTS (
                   SELECT FROM refresh_tokens later
                   WHERE later.session_id = t.session_id AND later.spent_at > t.spent_at) AS just_spent
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
        WHERE t.hash = $1 AND t.expires_at > now() AND s.ended_at IS NULL AND u.status = 'Active'
        FOR UPDATE OF s
        """,
        _hash(refresh_token),
        timedelta(seconds=GRACE_S),
    )
    if row is None:
        return Refusal.UNKNOWN
    if not (row["fresh"] or row["just_spent"]):
        await end(connection, row["session_id"])
        return Refusal.REUSED
    await connection.execute(
        "UPDATE refresh_tokens SET spent_at = clock_timestamp() WHERE hash = $1 AND spent_at IS NULL",
        _hash(refresh_token),
    )
    await connection.execute("UPDATE sessions SET last_seen_at = now() WHERE id = $1", row["session_id"])
    caller = Caller(row["user_id"], row["session_id"])
    return Rotated(caller, await _issue(connection, caller.session_id, ttl_s))


async def end(connection: Connection, session_id: int) -> None:
    """End a session: its tokens of both kinds are refused from now on."""
    await connection.execute("UPDATE sessions SET ended_at = now() WHERE id = $1 AND ended_at IS NULL", session_id)


async def of_refresh_token(connection: Connection, refresh_token: str) -> int | None:
    """The id of the session that `refresh_token` belongs to."""
    return await connection.fetchval(
        "SELECT session_id FROM refresh_tokens WHERE hash = $1 AND expires_at > now()", _hash(refresh_token)
    )


async def _issue(connection: Connection, session_id: int, ttl_s: int) -> str:
    refresh_token = secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, now() + $3::interval)",
        _hash(refresh_token),
        session_id,
        timedelta(seconds=ttl_s),
    )
    return refresh_token


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
