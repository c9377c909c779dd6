"""The places in chats that somebody who is suspended in a workspace gets back.

keep        remember a place before its holder is taken out
take_back   forget the places of somebody, and return them
forget      without returning
hold_chat   a chat to put somebody back into
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.chats import Chat, ChatRole
from fechatter.store.chats import chats
from fechatter.store.database import Connection, struct_from
from fechatter.store.messages import messages


class Kept(msgspec.Struct, frozen=True):
    """A place that somebody had in a chat."""

    chat_id: int
    role: ChatRole
    last_read_seq: int


async def keep(connection: Connection, chat_id: int, user_id: int) -> None:
    """Remember the user's role and read position in the chat."""
    await connection.execute(
        """
        INSERT INTO suspended_chat_members (chat_id, user_id, workspace_id, role, last_read_seq)
        SELECT chat_id, user_id, workspace_id, role, last_read_seq FROM chat_members
        WHERE chat_id = $1 AND user_id = $2
        ON CONFLICT (chat_id, user_id) DO UPDATE SET role = EXCLUDED.role, last_read_seq = EXCLUDED.last_read_seq
        """,
        chat_id,
        user_id,
    )


async def take_back(connection: Connection, workspace_id: int, user_id: int) -> Sequence[Kept]:
    """The places that were kept, by the id of the chat, which is the order of locks. They are kept no more."""
    rows = await connection.fetch(
        """
        WITH kept AS (
            DELETE FROM suspended_chat_members WHERE workspace_id = $1 AND user_id = $2
            RETURNING chat_id, role, last_read_seq)
        SELECT * FROM kept ORDER BY chat_id
        """,
        workspace_id,
        user_id,
    )
    return [struct_from(row, Kept) for row in rows]


async def forget(connection: Connection, workspace_id: int, user_id: int) -> None:
    await connection.execute(
        "DELETE FROM suspended_chat_members WHERE workspace_id = $1 AND user_id = $2", workspace_id, user_id
    )


async def hold_chat(connection: Connection, chat_id: int) -> bool:
    """Hold the chat's row against posts and other changes. False if the chat is gone."""
    return bool(await connection.fetchval("SELECT true FROM chats WHERE id = $1 FOR NO KEY UPDATE", chat_id))


async def chat_for_all(connection: Connection, chat_id: int) -> Chat | None:
    """The chat as events carry it."""
    row = await connection.fetchrow(
        f"""
        SELECT {chats.COLUMNS}, 0 AS mention_count, {messages.COLUMNS}
        FROM chats c LEFT JOIN chat_members cm ON false {chats.LAST} WHERE c.id = $1
        """,
        chat_id,
    )
    return None if row is None else chats.from_row(row)
