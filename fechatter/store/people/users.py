"""Users.

insert            a new user, with the first free username
email_is_taken, any_exists, hold_first   who may still sign up
find_credentials  what a sign-in checks
hold_credentials  that what was checked still holds
is_shut_out       whether no workspace lets the user in
get, by_email     one user; all_: everybody, for the operator
visible_to        one user, if the viewer may know of them
search            the people whom the viewer may know of
update            what a user says of themselves; picture: what may be their avatar
set_password, password_hash_of, set_status
note_workspaces   which workspace each used last
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from fechatter.domain.errors import Conflict, EmailTaken
from fechatter.domain.people import User, UserStatus
from fechatter.domain.text import USERNAME_CHARS, fold, username_from
from fechatter.store.database import Connection, Row, struct_from
from fechatter.store.people.presence_status import STATUS

COLUMNS = (
    "u.id, u.fullname, u.username, u.email, u.avatar, u.status, u.locale, u.timezone, "
    "u.created_at, u.updated_at, "
    f"coalesce((SELECT {STATUS} FROM presence p WHERE p.user_id = u.id), 'offline') AS presence"
)
SHUT_OUT = """
    ((SELECT bool_and(wm.status = 'Suspended') FROM workspace_members wm WHERE wm.user_id = u.id) IS TRUE)
"""
"""Whether the user is suspended in every workspace that they are in. Who is in none is not shut out."""
_FIRST_LOCK = 0x_0FEC_0003


class Credentials(msgspec.Struct, frozen=True):
    """What a sign-in compares. `password_hash` is None for one who cannot sign in with a password.

    is_shut_out   suspended in every workspace that they are in
    """

    user_id: int
    password_hash: str | None
    status: UserStatus
    is_shut_out: bool


async def insert(
    connection: Connection, *, email: str, fullname: str, password_hash: str | None, created_at: datetime | None = None
) -> User:
    """Insert a user whose username is made from the full name. Raises EmailTaken.

    Whoever takes the username at the same moment is waited for, and then the next free one is tried. So that nobody
    waits for each other, a workspace that is to be held is held before this.
    """
    row: Row | None = None
    while row is None:
        username = await _free_username(connection, username_from(fullname))
        try:
            row = await connection.fetchrow(
                f"""
                INSERT INTO users AS u
                    (email, email_key, fullname, username, username_key, password_hash, created_at, fullname_key)
                VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, now()), $8)
                ON CONFLICT (username_key) DO NOTHING
                RETURNING {COLUMNS}
                """,
                email,
                fold(email),
                fullname,
                username,
                fold(username),
                password_hash,
                created_at,
                fold(fullname),
            )
        except asyncpg.UniqueViolationError as error:
            raise EmailTaken from error
    return struct_from(row, User)


async def email_is_taken(connection: Connection, email: str) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users WHERE email_key = $1)", fold(email)))


async def any_exists(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users)"))


async def hold_first(connection: Connection) -> None:
    """Until the transaction ends, nobody else who calls this goes on: two cannot both be the first user."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _FIRST_LOCK)


async def find_credentials(connection: Connection, email: str) -> Credentials | None:
    """What is stored for `email`, whatever its case."""
    row = await connection.fetchrow(
        f"SELECT u.id, u.password_hash, u.status, {SHUT_OUT} AS is_shut_out FROM users u WHERE u.email_key = $1",
        fold(email),
    )
    if row is None:
        return None
    return Credentials(row["id"], row["password_hash"], UserStatus(row["status"]), row["is_shut_out"])


async def hold_credentials(connection: Connection, user_id: int, password_hash: str | None) -> UserStatus | None:
    """The user's status if the password is still the one that was checked; it stays so until the transaction ends."""
    status = await connection.fetchval(
        "SELECT status FROM users WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $2 FOR SHARE",
        user_id,
        password_hash,
    )
    return None if status is None else UserStatus(status)


async def is_shut_out(connection: Connection, user_id: int) -> bool:
    """Whether the user is suspended in every workspace that they are in."""
    return bool(await connection.fetchval(f"SELECT {SHUT_OUT} FROM users u WHERE u.id = $1", user_id))


async def get(connection: Connection, user_id: int) -> User | None:
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM users u WHERE u.id = $1", user_id)
    return None if row is None else struct_from(row, User)


# People whom the viewer ($1) may know of: oneself, all of a workspace one is in (guests are in it for the people
# they share a chat with only). $2 narrows to one workspace.
VISIBLE = """
    (u.id = $1 AND $2::bigint IS NULL OR EXISTS (
        SELECT FROM workspace_members mine
        JOIN workspace_members theirs ON theirs.workspace_id = mine.workspace_id AND theirs.user_id = u.id
        WHERE mine.user_id = $1 AND mine.status = 'Active' AND ($2::bigint IS NULL OR mine.workspace_id = $2)
          AND (mine.role <> 'guest' OR u.id = $1 OR EXISTS (
              SELECT FROM chat_members a JOIN chat_members b ON b.chat_id = a.chat_id AND b.user_id = u.id
              WHERE a.user_id = $1 AND a.workspace_id = mine.workspace_id))))
"""


async def visible_to(connection: Connection, viewer_id: int, user_id: int) -> User | None:
    """The user, if the viewer may know of them."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM users u WHERE u.id = $3 AND {VISIBLE}", viewer_id, None, user_id
    )
    return None if row is None else struct_from(row, User)


async def search(
    connection: Connection, viewer_id: int, workspace_id: int | None, query: str, *, limit: int, offset: int
) -> Sequence[User]:
    """People whom the viewer may know of, with `query` in their name, username or address, by name."""
    rows = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM users u
        WHERE {VISIBLE}
          AND ($3 = '' OR strpos(u.username_key, $3) > 0 OR strpos(u.email_key, $3) > 0
               OR strpos(coalesce(u.fullname_key, lower(u.fullname)), $3) > 0)
        ORDER BY coalesce(u.fullname_key, lower(u.fullname)), u.id LIMIT $4 OFFSET $5
        """,
        viewer_id,
        workspace_id,
        fold(query),
        limit,
        offset,
    )
    return [struct_from(row, User) for row in rows]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a user changes of themselves. None: stays; `avatar` UNSET: stays, None: none."""

    fullname: str | None = None
    username: str | None = None
    avatar: str | msgspec.UnsetType | None = msgspec.UNSET
    locale: str | None = None
    timezone: str | None = None


async def update(connection: Connection, user_id: int, profile: Profile) -> User:
    """Raises Conflict for a username that somebody else has."""
    try:
        row = await connection.fetchrow(
            f"""
            UPDATE users u SET fullname = coalesce($2, u.fullname), fullname_key = coalesce($3, u.fullname_key),
                username = coalesce($4, u.username), username_key = coalesce($5, u.username_key),
                avatar = CASE WHEN $6 THEN $7 ELSE u.avatar END,
                locale = coalesce($8, u.locale), timezone = coalesce($9, u.timezone)
            WHERE u.id = $1 RETURNING {COLUMNS}
            """,
            user_id,
            profile.fullname,
            None if profile.fullname is None else fold(profile.fullname),
            profile.username,
            None if profile.username is None else fold(profile.username),
            profile.avatar is not msgspec.UNSET,
            None if profile.avatar is msgspec.UNSET else profile.avatar,
            profile.locale,
            profile.timezone,
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("Somebody else has this username: choose another.") from error
    assert row is not None
    return struct_from(row, User)


async def picture(connection: Connection, user_id: int, file_id: int) -> str | None:
    """The address of an image that the user has uploaded; None for anything else."""
    return await connection.fetchval(
        """
        SELECT '/api/files/' || id FROM files
        WHERE id = $2 AND uploader_id = $1 AND mime_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp')
        """,
        user_id,
        file_id,
    )


async def set_password(connection: Connection, user_id: int, password_hash: str, *, instead_of: str | None) -> bool:
    """Replace the hash `instead_of`; False if it was another one by now."""
    done = await connection.fetchval(
        "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $3 RETURNING true",
        user_id,
        password_hash,
        instead_of,
    )
    return bool(done)


async def password_hash_of(connection: Connection, user_id: int) -> str | None:
    return await connection.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)


async def set_status(connection: Connection, user_id: int, status: UserStatus) -> User | None:
    """Suspend or readmit everywhere; None if that is how it was."""
    row = await connection.fetchrow(
        f"UPDATE users u SET status = $2 WHERE u.id = $1 AND u.status <> $2 RETURNING {COLUMNS}", user_id, status.value
    )
    return None if row is None else struct_from(row, User)


async def by_email(connection: Connection, email: str) -> User | None:
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM users u WHERE u.email_key = $1", fold(email))
    return None if row is None else struct_from(row, User)


async def all_(connection: Connection) -> Sequence[User]:
    """Everybody, by name."""
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM users u ORDER BY u.fullname_key, u.id")
    return [struct_from(row, User) for row in rows]


async def note_workspaces(connection: Connection, used: Mapping[int, int]) -> None:
    """Remember which workspace (value) each user (key) used last, where the user is in it."""
    await connection.execute(
        """
        WITH used AS (
            SELECT u.id, n.workspace_id FROM unnest($1::bigint[], $2::bigint[]) AS n (user_id, workspace_id)
            JOIN users u ON u.id = n.user_id AND u.last_workspace_id IS DISTINCT FROM n.workspace_id
            JOIN workspace_members wm ON wm.user_id = n.user_id AND wm.workspace_id = n.workspace_id
            ORDER BY u.id FOR NO KEY UPDATE OF u SKIP LOCKED)
        UPDATE users u SET last_workspace_id = used.workspace_id FROM used WHERE u.id = used.id
        """,
        list(used),
        list(used.values()),
    )


async def _free_username(connection: Connection, wanted: str) -> str:
    """`wanted`, or the first of `wanted2`, `wanted3` … that nobody has at this moment."""
    stem = wanted[: USERNAME_CHARS - 8]
    return await connection.fetchval(
        """
        SELECT name FROM (
            SELECT 1 AS n, $1::text AS name
            UNION ALL
            SELECT n, $2::text || n FROM generate_series(2, 1000) n
            UNION ALL
            SELECT 1001, $2::text || (1000 + floor(random() * 9000000)::int)
        ) candidates
        WHERE NOT EXISTS (SELECT FROM users u WHERE u.username_key = candidates.name)
        ORDER BY n LIMIT 1
        """,
        wanted,
        stem,
    )
