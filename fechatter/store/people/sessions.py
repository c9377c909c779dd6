"""Sessions and their refresh tokens.

start          a session with its first refresh token
is_live        whether a caller may go on
rotate         spend a refresh token and get the next
end            end a session at once
end_all        end the sessions of a user
end_shut_out   end the sessions of those whom no workspace lets in any more
list_          the sessions of a user
RENEWABLE      whether one can still be gone on with
note_seen      these sessions are in use
tidy           forget what nobody can use any more
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

import msgspec

from fechatter.domain.people import Caller, Session
from fechatter.store.database import Connection, struct_from
from fechatter.store.digests import digest_of
from fechatter.store.people.users import SHUT_OUT

GRACE_S = 30
"""The last spent token may come again for this long: two tabs, or an answer that was lost."""
RENEWABLE = """
    EXISTS (SELECT FROM refresh_tokens t WHERE t.session_id = s.id AND t.spent_at IS NULL AND t.expires_at > now())
"""
"""For s, a row of sessions: whether its owner can get a new token. One that was left alone for too long has not ended,
and yet nobody can use it any more."""


class Reused(msgspec.Struct, frozen=True):
    """An older refresh token came back: someone else has it, so the whole session has been ended."""

    caller: Caller


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


async def rotate(connection: Connection, refresh_token: str, ttl_s: int) -> Rotated | Reused | None:
    """Spend `refresh_token` and return its session with the next one; None if it is good for nothing."""
    caller = await _hold_session(connection, refresh_token)
    if caller is None:
        return None
    # A new statement, so a new snapshot: what others did to the token while this one waited for the session.
    good = await connection.fetchval(
        """
        SELECT t.spent_at IS NULL OR t.spent_at > now() - $2::interval AND NOT EXISTS (
            SELECT FROM refresh_tokens later WHERE later.session_id = t.session_id AND later.spent_at > t.spent_at)
        FROM refresh_tokens t WHERE t.hash = $1
        """,
        digest_of(refresh_token),
        timedelta(seconds=GRACE_S),
    )
    if not good:
        await end(connection, caller.session_id)
        return Reused(caller)
    await connection.execute(
        "UPDATE refresh_tokens SET spent_at = clock_timestamp() WHERE hash = $1 AND spent_at IS NULL",
        digest_of(refresh_token),
    )
    await connection.execute("UPDATE sessions SET last_seen_at = now() WHERE id = $1", caller.session_id)
    return Rotated(caller, await _issue(connection, caller.session_id, ttl_s))


async def end(connection: Connection, session_id: int) -> None:
    """End a session: its tokens of both kinds are refused from now on."""
    await connection.execute("UPDATE sessions SET ended_at = now() WHERE id = $1 AND ended_at IS NULL", session_id)


async def end_all(connection: Connection, user_id: int, *, except_session: int | None = None) -> list[int]:
    """End the sessions of a user, but for one; return the ids of those that ended now."""
    rows = await connection.fetch(
        """
        UPDATE sessions SET ended_at = now()
        WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2 RETURNING id
        """,
        user_id,
        except_session,
    )
    return [row["id"] for row in rows]


async def end_shut_out(connection: Connection, user_ids: Collection[int]) -> None:
    """End the sessions of those of `user_ids` who are suspended in every workspace that they are in."""
    # Holds them against a sign-in, and against being suspended elsewhere, at this moment. What those have changed is
    # seen by the next statement.
    await connection.execute(
        "SELECT FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", list(user_ids)
    )
    await connection.execute(
        f"""
        UPDATE sessions s SET ended_at = now() FROM users u
        WHERE u.id = ANY($1::bigint[]) AND {SHUT_OUT} AND s.user_id = u.id AND s.ended_at IS NULL
        """,
        list(user_ids),
    )


async def end_of_user(connection: Connection, user_id: int, session_id: int) -> bool:
    """End a session if it is the user's and goes on."""
    ended = await connection.fetchval(
        "UPDATE sessions SET ended_at = now() WHERE id = $2 AND user_id = $1 AND ended_at IS NULL RETURNING true",
        user_id,
        session_id,
    )
    return bool(ended)


async def of_refresh_token(connection: Connection, refresh_token: str) -> Caller | None:
    """Whose session `refresh_token` belongs to, if it goes on."""
    row = await connection.fetchrow(
        """
        SELECT s.id, s.user_id FROM refresh_tokens t
        JOIN sessions s ON s.id = t.session_id AND s.ended_at IS NULL
        JOIN users u ON u.id = s.user_id AND u.status = 'Active'
        WHERE t.hash = $1 AND t.expires_at > now()
        """,
        digest_of(refresh_token),
    )
    return None if row is None else Caller(row["user_id"], row["id"])


async def list_(connection: Connection, caller: Caller) -> Sequence[Session]:
    """The sessions of the caller that can go on, the last used first."""
    rows = await connection.fetch(
        f"""
        SELECT s.id, s.user_agent, s.address, s.created_at, s.last_seen_at, s.id = $2 AS current
        FROM sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL AND (s.id = $2 OR {RENEWABLE})
        ORDER BY s.id <> $2, s.last_seen_at DESC, s.id DESC
        """,
        caller.user_id,
        caller.session_id,
    )
    return [struct_from(row, Session) for row in rows]


async def note_seen(connection: Connection, session_ids: Collection[int]) -> None:
    """These sessions are in use; noted to the minute."""
    await connection.execute(
        """
        WITH seen AS (
            SELECT id FROM sessions WHERE id = ANY($1::bigint[]) AND last_seen_at < now() - interval '1 minute'
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE sessions s SET last_seen_at = now() FROM seen WHERE s.id = seen.id
        """,
        list(session_ids),
    )


async def tidy(connection: Connection) -> None:
    """Forget up to a thousand tokens that have expired, and as many sessions that ended a month ago."""
    await connection.execute(
        """
        DELETE FROM refresh_tokens WHERE hash IN (
            SELECT hash FROM refresh_tokens WHERE expires_at < now() - interval '1 day'
            LIMIT 1000 FOR UPDATE SKIP LOCKED)
        """
    )
    await connection.execute(
        """
        DELETE FROM sessions WHERE id IN (
            SELECT s.id FROM sessions s
            WHERE coalesce(s.ended_at, s.created_at) < now() - interval '31 days'
              AND NOT EXISTS (SELECT FROM refresh_tokens t WHERE t.session_id = s.id AND s.ended_at IS NULL)
            LIMIT 1000 FOR UPDATE SKIP LOCKED)
        """
    )


async def _hold_session(connection: Connection, refresh_token: str) -> Caller | None:
    """Whose session the token belongs to, if it goes on and its user may sign in; held until the transaction ends."""
    row = await connection.fetchrow(
        f"""
        SELECT s.id, s.user_id FROM refresh_tokens t
        JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
        WHERE t.hash = $1 AND t.expires_at > now() AND s.ended_at IS NULL AND u.status = 'Active' AND NOT {SHUT_OUT}
        FOR UPDATE OF s
        """,
        digest_of(refresh_token),
    )
    return None if row is None else Caller(row["user_id"], row["id"])


async def _issue(connection: Connection, session_id: int, ttl_s: int) -> str:
    refresh_token = secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, now() + $3::interval)",
        digest_of(refresh_token),
        session_id,
        timedelta(seconds=ttl_s),
    )
    return refresh_token
