"""Who is in a chat.

add            put people into a chat
remove         take one out
set_joined     where in the stream each came in
role_of        of one member
set_role       of one member
others_own     whether the chat has another owner
successor      who should own the chat when its owner goes
chats_of       of one user in a workspace
hide, unhide   a Single chat, for one of the two
ids            of all members
named          some of the members
list_          the members, owners first
share_a_chat   whom a guest can see
"""

from collections.abc import Mapping, Sequence

from fechatter.domain.chats import ChatMember, ChatRole
from fechatter.store.database import Connection, struct_from

_MEMBER = "cm.chat_id, cm.user_id, cm.role, cm.created_at, u.fullname, u.username, u.avatar"
_BY_ROLE = "array_position(ARRAY['owner', 'admin', 'member'], cm.role), cm.created_at, cm.user_id"


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


async def remove(connection: Connection, chat_id: int, user_id: int) -> None:
    """Take a member out, with what counted for them alone. The chat's row is held."""
    await connection.execute("DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat_id, user_id)
    await connection.execute("DELETE FROM mentions WHERE user_id = $1 AND chat_id = $2", user_id, chat_id)
    await connection.execute("DELETE FROM typing WHERE chat_id = $1 AND user_id = $2", chat_id, user_id)
    await connection.execute(
        "UPDATE chats SET member_count = member_count - 1, departures = departures + 1 WHERE id = $1", chat_id
    )


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


async def role_of(connection: Connection, chat_id: int, user_id: int) -> ChatRole | None:
    """None: not a member."""
    role = await connection.fetchval(
        "SELECT role FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat_id, user_id
    )
    return None if role is None else ChatRole(role)


async def set_role(connection: Connection, chat_id: int, user_id: int, role: ChatRole) -> None:
    await connection.execute(
        "UPDATE chat_members SET role = $3 WHERE chat_id = $1 AND user_id = $2", chat_id, user_id, role
    )


async def others_own(connection: Connection, chat_id: int, user_id: int) -> bool:
    """Whether someone besides `user_id` owns the chat."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM chat_members WHERE chat_id = $1 AND user_id <> $2 AND role = 'owner')",
            chat_id,
            user_id,
        )
    )


async def successor(connection: Connection, chat_id: int) -> int | None:
    """Who comes next: an admin before a member, then the one longest here. None if nobody is left."""
    return await connection.fetchval(
        f"SELECT cm.user_id FROM chat_members cm WHERE cm.chat_id = $1 ORDER BY {_BY_ROLE} LIMIT 1", chat_id
    )


async def ids(connection: Connection, chat_id: int) -> list[int]:
    """The user ids of all members."""
    rows = await connection.fetch("SELECT user_id FROM chat_members WHERE chat_id = $1 ORDER BY user_id", chat_id)
    return [row["user_id"] for row in rows]


async def chats_of(connection: Connection, user_id: int, workspace_id: int) -> list[int]:
    """The ids of the user's chats in the workspace but Singles, ascending, which is the order of locks."""
    rows = await connection.fetch(
        """
        SELECT cm.chat_id FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
        WHERE cm.user_id = $1 AND cm.workspace_id = $2 AND c.type <> 'Single' ORDER BY cm.chat_id
        """,
        user_id,
        workspace_id,
    )
    return [row["chat_id"] for row in rows]


async def hide(connection: Connection, chat_id: int, user_id: int) -> bool:
    """Keep a Single chat off the user's list until its next message. False if it was hidden already."""
    hidden = await connection.fetchval(
        """
        UPDATE chat_members cm SET hidden_seq = c.last_seq FROM chats c
        WHERE c.id = $1 AND cm.chat_id = $1 AND cm.user_id = $2 AND cm.hidden_seq IS DISTINCT FROM c.last_seq
        RETURNING true
        """,
        chat_id,
        user_id,
    )
    return bool(hidden)


async def unhide(connection: Connection, chat_id: int, user_id: int) -> bool:
    """Show a Single chat again to one who had hidden it. False if it was to be seen."""
    shown = await connection.fetchval(
        """
        WITH before AS (
            SELECT cm.hidden_seq = c.last_seq AS hidden FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
            WHERE cm.chat_id = $1 AND cm.user_id = $2
        )
        UPDATE chat_members SET hidden_seq = NULL FROM before
        WHERE chat_id = $1 AND user_id = $2 AND hidden_seq IS NOT NULL RETURNING before.hidden
        """,
        chat_id,
        user_id,
    )
    return bool(shown)


async def named(connection: Connection, chat_id: int, user_ids: Sequence[int]) -> Sequence[ChatMember]:
    """Those of `user_ids` that are in the chat, in that order."""
    rows = await connection.fetch(
        f"""
        SELECT {_MEMBER} FROM chat_members cm JOIN users u ON u.id = cm.user_id
        WHERE cm.chat_id = $1 AND cm.user_id = ANY($2::bigint[])
        ORDER BY array_position($2::bigint[], cm.user_id)
        """,
        chat_id,
        list(user_ids),
    )
    return [struct_from(row, ChatMember) for row in rows]


async def list_(connection: Connection, chat_id: int, *, limit: int, offset: int) -> Sequence[ChatMember]:
    """The members: owners, admins, then the rest, each in the order of joining."""
    rows = await connection.fetch(
        f"""
        SELECT {_MEMBER} FROM chat_members cm JOIN users u ON u.id = cm.user_id
        WHERE cm.chat_id = $1 ORDER BY {_BY_ROLE} LIMIT $2 OFFSET $3
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
