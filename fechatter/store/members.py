"""Who is in a chat.

add            put people into a chat
set_joined     where in the stream each came in
unhide         show a Single chat again
list_          the members, owners first
share_a_chat   whom a guest can see
"""

from collections.abc import Mapping, Sequence

from fechatter.domain.chats import ChatMember, ChatRole
from fechatter.store.database import Connection, struct_from


async def add(
    connection: Connection, chat_id: int, workspace_id: int, roles: Mapping[int, ChatRole], last_seq: int
) -> list[int]:
    """Put people into the chat with nothing unread; return the ids of those that were not in it, in order."""
    rows = await connection.fetch(
        """
        INSERT INTO chat_members (chat_id, user_id, workspace_id, role, last_read_seq)
        SELECT $1, n.user_id, $2, n.role, $5 FROM unnest($3::bigint[], $4::text[]) AS n (user_id, role)
        ON CONFLICT DO NOTHING RETURNING user_id
        """,
        chat_id,
        workspace_id,
        list(roles),
        list(roles.values()),
        last_seq,
    )
    added = {row["user_id"] for row in rows}
    await connection.execute("UPDATE chats SET member_count = member_count + $2 WHERE id = $1", chat_id, len(added))
    return [user_id for user_id in roles if user_id in added]


async def set_joined(connection: Connection, chat_id: int, joined: Mapping[int, int]) -> None:
    """Remember the position of each newcomer's member.added: replay shows nothing of the chat from before it."""
    await connection.execute(
        """
        UPDATE chat_members cm SET joined_pos = n.pos
        FROM unnest($2::bigint[], $3::bigint[]) AS n (user_id, pos)
        WHERE cm.chat_id = $1 AND cm.user_id = n.user_id
        """,
        chat_id,
        list(joined),
        list(joined.values()),
    )


async def unhide(connection: Connection, chat_id: int, user_id: int) -> None:
    """Show a Single chat again to one who had hidden it."""
    await connection.execute(
        "UPDATE chat_members SET hidden_seq = NULL WHERE chat_id = $1 AND user_id = $2 AND hidden_seq IS NOT NULL",
        chat_id,
        user_id,
    )


async def list_(connection: Connection, chat_id: int, *, limit: int, offset: int) -> Sequence[ChatMember]:
    """The members: owners, admins, then the rest, each in the order of joining."""
    rows = await connection.fetch(
        """
        SELECT cm.chat_id, cm.user_id, cm.role, cm.created_at, u.fullname, u.avatar
        FROM chat_members cm JOIN users u ON u.id = cm.user_id
        WHERE cm.chat_id = $1
        ORDER BY array_position(ARRAY['owner', 'admin', 'member'], cm.role), cm.created_at, cm.user_id
        LIMIT $2 OFFSET $3
        """,
        chat_id,
        limit,
        offset,
    )
    return [struct_from(row, ChatMember) for row in rows]


async def share_a_chat(connection: Connection, user_id: int, others: Sequence[int], workspace_id: int) -> set[int]:
    """Those of `others` that have a chat of the workspace in common with `user_id`: all whom a guest can see."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT other.user_id FROM chat_members mine
        JOIN chat_members other ON other.chat_id = mine.chat_id
        WHERE mine.user_id = $1 AND mine.workspace_id = $3 AND other.user_id = ANY($2::bigint[])
        """,
        user_id,
        list(others),
        workspace_id,
    )
    return {row["user_id"] for row in rows}
