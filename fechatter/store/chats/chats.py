"""Chats as their members see them.

visible_to       one chat, if the caller may read it
public           channels that one may join
insert           a new chat
find_single      the chat of two people
standing         how the caller stands to a chat that they see
lock             a chat's row, for a change of it; lock_with_workspace: to put people into it;
                 lock_for_departure: to take one out who goes from the workspace
rename           its name and description
delete           it and who is in it
from_row         the wire form of a row with COLUMNS
"""

from collections.abc import Sequence

import asyncpg
import msgspec

from fechatter.domain.chats import Chat, ChatRole, ChatType
from fechatter.domain.errors import ChatNameTaken
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.text import fold
from fechatter.store.database import Connection, Row, struct_from
from fechatter.store.messages import messages

COLUMNS = (
    "c.id AS chat_id_, c.workspace_id, c.name, c.type, c.description, c.created_by, c.created_at AS chat_created_at, "
    "c.updated_at, c.member_count, c.single_low, c.single_high, c.last_seq, "
    "coalesce(cm.last_read_seq, c.last_seq) AS last_read_seq"
)
# Most chats of a long list have been read: nothing to count there.
MENTIONS = """
    CASE WHEN cm.last_read_seq < c.last_seq THEN
        (SELECT count(*) FROM mentions x WHERE x.chat_id = c.id AND x.user_id = $1 AND x.seq > cm.last_read_seq)
    ELSE 0 END AS mention_count
"""
_LIVE = """
    JOIN sessions s ON s.id = $2 AND s.user_id = $1 AND s.ended_at IS NULL
    JOIN users u ON u.id = $1 AND u.status = 'Active'
"""
LAST = "LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A chat with the caller's standing in its workspace and in it; `role` None: not a member."""

    id: int
    workspace_id: int
    type: ChatType
    name: str
    member_count: int
    last_seq: int
    workspace_role: WorkspaceRole
    role: ChatRole | None


async def visible_to(connection: Connection, caller: Caller, chat_id: int) -> Chat | None:
    """The chat, if the caller is a member or it is a public channel that the caller may join."""
    row = await connection.fetchrow(
        f"""
        SELECT {COLUMNS}, {MENTIONS}, {messages.COLUMNS}
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
        {_LIVE}
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
        {LAST}
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
        SELECT {COLUMNS}, {MENTIONS}, {messages.COLUMNS}
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
        {_LIVE}
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
        {LAST}
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


async def standing(connection: Connection, caller: Caller, chat_id: int) -> Place | None:
    """How the caller stands to the chat; None if they may not see it."""
    row = await connection.fetchrow(
        f"""
        SELECT c.id, c.workspace_id, c.type, c.name, c.member_count, c.last_seq, wm.role AS workspace_role, cm.role
        FROM chats c
        JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
        {_LIVE}
        LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
        WHERE c.id = $3 AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')
        """,
        caller.user_id,
        caller.session_id,
        chat_id,
    )
    return None if row is None else struct_from(row, Place)


async def lock(connection: Connection, caller: Caller, chat_id: int) -> Place | None:
    """Hold the chat's row against posts and other changes; None if the caller may not see the chat.

    Roles are read anew once the row is held: whoever held it before may have changed them.
    """
    if await standing(connection, caller, chat_id) is None:
        return None
    await connection.execute("SELECT FROM chats WHERE id = $1 FOR NO KEY UPDATE", chat_id)
    return await standing(connection, caller, chat_id)


async def lock_with_workspace(connection: Connection, caller: Caller, chat_id: int) -> Place | None:
    """The same, with nobody leaving the workspace meanwhile: for whoever puts people into the chat."""
    seen = await standing(connection, caller, chat_id)
    if seen is None or not await hold_workspace(connection, seen.workspace_id):
        return None
    return await lock(connection, caller, chat_id)


async def lock_for_departure(connection: Connection, chat_id: int, user_id: int) -> Place | None:
    """Hold the chat's row to take `user_id` out of it, whether or not they are still in the workspace."""
    await connection.execute("SELECT FROM chats WHERE id = $1 FOR NO KEY UPDATE", chat_id)
    row = await connection.fetchrow(
        """
        SELECT c.id, c.workspace_id, c.type, c.name, c.member_count, c.last_seq, 'guest' AS workspace_role, cm.role
        FROM chats c JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $2 WHERE c.id = $1
        """,
        chat_id,
        user_id,
    )
    return None if row is None else struct_from(row, Place)


async def hold_workspace(connection: Connection, workspace_id: int) -> bool:
    """Let nobody enter or leave the workspace until the transaction ends. False if it is gone.

    Locks go from the workspace to the chat to its people, always.
    """
    return bool(await connection.fetchval("SELECT true FROM workspaces WHERE id = $1 FOR SHARE", workspace_id))


async def rename(connection: Connection, place: Place, *, name: str, description: str | None) -> None:
    """Raises ChatNameTaken if another channel has that name."""
    try:
        await connection.execute(
            "UPDATE chats SET name = $2, name_key = $3, description = $4 WHERE id = $1",
            place.id,
            name,
            fold(name) if place.type.is_channel else None,
            description,
        )
    except asyncpg.UniqueViolationError as error:
        raise ChatNameTaken from error


async def delete(connection: Connection, chat_id: int) -> None:
    """Delete the chat with its members. Nobody can see its messages from then on; a sweep deletes them."""
    await connection.execute("DELETE FROM chats WHERE id = $1", chat_id)
    await connection.execute("DELETE FROM typing WHERE chat_id = $1", chat_id)


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
