"""Chats as their members see them.

of_user          the sidebar: all chats of a user, newest activity first, in one statement
visible_to       one chat, if the caller may read it
public           channels that one may join
insert           a new chat
find_single      the chat of two people
lock             a chat's row, for a change of its members
"""

from collections.abc import Sequence

import asyncpg
import msgspec

from fechatter.domain.chats import Chat, ChatType
from fechatter.domain.errors import ChatNameTaken
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.text import fold
from fechatter.store import messages
from fechatter.store.database import Connection, Row

_CHAT = (
    "c.id AS chat_id_, c.workspace_id, c.name, c.type, c.description, c.created_by, c.created_at AS chat_created_at, "
    "c.updated_at, c.member_count, c.single_low, c.single_high, c.last_seq, "
    "coalesce(cm.last_read_seq, c.last_seq) AS last_read_seq"
)
_MENTIONS = (
    "(SELECT count(*) FROM mentions x WHERE x.chat_id = c.id AND x.user_id = $1 AND x.seq > cm.last_read_seq)"
    " AS mention_count"
)
_LIVE = """
    JOIN sessions s ON s.id = $2 AND s.user_id = $1 AND s.ended_at IS NULL
    JOIN users u ON u.id = $1 AND u.status = 'Active'
"""
_LAST = "LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq"


class Locked(msgspec.Struct, frozen=True):
    """A chat's row, held until the transaction ends, with the caller's standing in its workspace and in it."""

    id: int
    workspace_id: int
    type: ChatType
    last_seq: int
    workspace_role: WorkspaceRole
    chat_role: str | None


async def of_user(
    connection: Connection, caller: Caller, workspace_id: int | None, *, limit: int, offset: int
) -> Sequence[Chat] | None:
    """The caller's chats, newest activity first; None if the session has ended."""
    rows = await connection.fetch(
        f"""
        SELECT {_CHAT}, {_MENTIONS}, {messages.COLUMNS}
        FROM (SELECT u.id AS user_id FROM users u
              JOIN sessions s ON s.id = $2 AND s.user_id = u.id AND s.ended_at IS NULL
              WHERE u.id = $1 AND u.status = 'Active') caller
        LEFT JOIN (chat_members cm
            JOIN chats c ON c.id = cm.chat_id
            JOIN workspace_members wm
                ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
            {_LAST}
        ) ON cm.user_id = caller.user_id AND ($3::bigint IS NULL OR c.workspace_id = $3)
            AND (cm.hidden_seq IS NULL OR c.last_seq > cm.hidden_seq)
        ORDER BY c.active_at DESC, c.id DESC LIMIT $4 OFFSET $5
        """,
        caller.user_id,
        caller.session_id,
        workspace_id,
        limit,
        offset,
    )
    if not rows and offset == 0:
        return None
    return [from_row(row) for row in rows if row["chat_id_"] is not None]


async def visible_to(connection: Connection, caller: Caller, chat_id: int) -> Chat | None:
    """The chat, if the caller is a member or it is a public channel that the caller may join."""
    row = await connection.fetchrow(
        f"""
        SELECT {_CHAT}, {_MENTIONS}, {messages.COLUMNS}
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
        {_LIVE}
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
        {_LAST}
        WHERE c.id = $3 AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')
        """,
        caller.user_id,
        caller.session_id,
        chat_id,
    )
    return None if row is None else from_row(row)


async def public(
    connection: Connection, caller: Caller, workspace_id: int | None, query: str, *, limit: int, offset: int
) -> Sequence[Chat]:
    """Public channels of a workspace (None: of all the caller's) to join, with `query` in the name, by name."""
    rows = await connection.fetch(
        f"""
        SELECT {_CHAT}, {_MENTIONS}, {messages.COLUMNS}
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
        {_LIVE}
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
        {_LAST}
        WHERE ($3::bigint IS NULL OR c.workspace_id = $3)
          AND c.type = 'PublicChannel' AND wm.role <> 'guest' AND cm.user_id IS NULL
          AND ($4 = '' OR strpos(c.name_key, $4) > 0)
        ORDER BY c.name_key, c.id LIMIT $5 OFFSET $6
        """,
        caller.user_id,
        caller.session_id,
        workspace_id,
        fold(query),
        limit,
        offset,
    )
    return [from_row(row) for row in rows]


async def insert(
    connection: Connection,
    *,
    workspace_id: int,
    type_: ChatType,
    name: str,
    description: str | None,
    created_by: int,
    pair: tuple[int, int] | None = None,
) -> int:
    """A new chat without members; returns its id. Raises ChatNameTaken for a second channel of that name.

    `pair`, the lower id first, makes a Single unique; UniqueViolationError if it exists.
    """
    low, high = pair or (None, None)
    try:
        return await connection.fetchval(
            """
            INSERT INTO chats (workspace_id, type, name, name_key, description, created_by, single_low, single_high)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
            """,
            workspace_id,
            type_,
            name,
            fold(name) if type_.is_channel else None,
            description,
            created_by,
            low,
            high,
        )
    except asyncpg.UniqueViolationError as error:
        if type_.is_channel:
            raise ChatNameTaken from error
        raise


async def find_single(connection: Connection, workspace_id: int, pair: tuple[int, int]) -> int | None:
    """The id of the Single chat of two people (twice the same: notes)."""
    return await connection.fetchval(
        "SELECT id FROM chats WHERE workspace_id = $1 AND single_low = $2 AND single_high = $3 AND type = 'Single'",
        workspace_id,
        *pair,
    )


async def lock(connection: Connection, caller: Caller, chat_id: int) -> Locked | None:
    """Hold the chat's row against posts and other changes; None if the caller may not see the chat."""
    row = await connection.fetchrow(
        """
        SELECT c.id, c.workspace_id, c.type, c.last_seq, wm.role AS workspace_role, cm.role AS chat_role
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $2 AND wm.status = 'Active'
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $2
        WHERE c.id = $1 AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')
        FOR NO KEY UPDATE OF c
        """,
        chat_id,
        caller.user_id,
    )
    if row is None:
        return None
    return Locked(
        row["id"],
        row["workspace_id"],
        ChatType(row["type"]),
        row["last_seq"],
        WorkspaceRole(row["workspace_role"]),
        row["chat_role"],
    )


def for_newcomer(chat: Chat) -> Chat:
    """The chat as events carry it: for any member, nothing unread."""
    return msgspec.structs.replace(chat, last_read_seq=chat.last_seq, unread_count=0, mention_count=0)


def from_row(row: Row) -> Chat:
    """The wire form of a row with a chat's columns, the counts and its last message."""
    last_read_seq: int = row["last_read_seq"]
    return Chat(
        id=row["chat_id_"],
        workspace_id=row["workspace_id"],
        name=row["name"],
        type=ChatType(row["type"]),
        description=row["description"],
        created_by=row["created_by"],
        created_at=row["chat_created_at"],
        updated_at=row["updated_at"],
        member_count=row["member_count"],
        member_ids=None if row["single_low"] is None else sorted({row["single_low"], row["single_high"]}),
        last_message=None if row["id"] is None else messages.from_row(row),
        last_seq=row["last_seq"],
        last_read_seq=last_read_seq,
        unread_count=row["last_seq"] - last_read_seq,
        mention_count=row["mention_count"],
    )
