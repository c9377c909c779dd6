"""Where a loaded history goes, and its people: accounts without a password, many at once.

workspaces_called, workspace_name, some_workspaces   which workspace
owner_of, first_person                               whose it is, or will be
claim                                                one load at a time
accounts, taken_usernames, insert_authors, enrol     who speaks
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fechatter.domain.people import WorkspaceMember
from fechatter.domain.text import fold
from fechatter.store.database import Connection, struct_from

_CLAIM = 0x_0FEC_0002


class Author(msgspec.Struct, frozen=True):
    """Someone to make an account for, since their first line in the history."""

    email: str
    fullname: str
    username: str
    since: datetime


class Account(msgspec.Struct, frozen=True):
    """Who has an address; `is_open`: they can sign in with a password."""

    user_id: int
    is_open: bool


async def workspaces_called(connection: Connection, name: str) -> list[int]:
    """Ids of the workspaces of that name; names are not unique."""
    rows = await connection.fetch("SELECT id FROM workspaces WHERE name = $1 ORDER BY id", name)
    return [row["id"] for row in rows]


async def workspace_name(connection: Connection, workspace_id: int) -> str | None:
    return await connection.fetchval("SELECT name FROM workspaces WHERE id = $1", workspace_id)


async def some_workspaces(connection: Connection, at_most: int) -> list[int]:
    rows = await connection.fetch("SELECT id FROM workspaces ORDER BY id LIMIT $1", at_most)
    return [row["id"] for row in rows]


async def owner_of(connection: Connection, workspace_id: int, email: str | None) -> int | None:
    """The workspace's first owner, or the one with that address."""
    return await connection.fetchval(
        """
        SELECT u.id FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        WHERE wm.workspace_id = $1 AND wm.role = 'owner' AND ($2::text IS NULL OR u.email_key = $2)
        ORDER BY wm.created_at, u.id LIMIT 1
        """,
        workspace_id,
        None if email is None else fold(email),
    )


async def first_person(connection: Connection) -> int | None:
    """The first user who came in by themselves, not with a loaded history."""
    return await connection.fetchval("SELECT min(id) FROM users WHERE email_key NOT LIKE '%.loaded.invalid'")


async def claim(connection: Connection, workspace_id: int) -> bool:
    """Keep other loads out of the workspace as long as this connection lives; False if one is under way."""
    return await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _CLAIM, workspace_id % 2**31)


async def accounts(connection: Connection, emails: Sequence[str]) -> dict[str, Account]:
    """Whose the addresses are (folded), of those that are someone's."""
    rows = await connection.fetch(
        "SELECT email_key, id, password_hash IS NOT NULL AS is_open FROM users WHERE email_key = ANY($1::text[])",
        emails,
    )
    return {row["email_key"]: Account(row["id"], row["is_open"]) for row in rows}


async def taken_usernames(connection: Connection, usernames: Sequence[str]) -> set[str]:
    rows = await connection.fetch("SELECT username_key FROM users WHERE username_key = ANY($1::text[])", usernames)
    return {row["username_key"] for row in rows}


async def insert_authors(connection: Connection, authors: Sequence[Author]) -> int:
    """Make accounts without a password; how many. Whose address or username is taken by now is left out."""
    made = await connection.execute(
        """
        INSERT INTO users (email, email_key, fullname, fullname_key, username, username_key, created_at)
        SELECT a.email, a.email, a.fullname, a.fullname_key, a.username, a.username, a.since
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
            AS a (email, fullname, fullname_key, username, since)
        ON CONFLICT DO NOTHING
        """,
        [author.email for author in authors],
        [author.fullname for author in authors],
        [fold(author.fullname) for author in authors],
        [author.username for author in authors],
        [author.since for author in authors],
    )
    return rows_in(made)


async def enrol(
    connection: Connection, workspace_id: int, user_ids: Sequence[int], since: Sequence[datetime]
) -> list[WorkspaceMember]:
    """Make them members of the workspace; those who were not."""
    rows = await connection.fetch(
        """
        WITH enrolled AS (
            INSERT INTO workspace_members (workspace_id, user_id, role, created_at)
            SELECT $1, n.user_id, 'member', n.since FROM unnest($2::bigint[], $3::timestamptz[]) AS n (user_id, since)
            ON CONFLICT DO NOTHING RETURNING *
        )
        SELECT wm.workspace_id, wm.user_id, wm.role, wm.status, wm.created_at, u.fullname, u.username, u.avatar
        FROM enrolled wm JOIN users u ON u.id = wm.user_id ORDER BY wm.user_id
        """,
        workspace_id,
        user_ids,
        since,
    )
    return [struct_from(row, WorkspaceMember) for row in rows]


def rows_in(tag: str) -> int:
    """The number of rows in a command's tag, e.g. 3 in `INSERT 0 3`."""
    return int(tag.rpartition(" ")[2])
