"""How far people have read, and who is typing. Statements that run often: each checks the session by itself.

mark_read      move a read position on
list_          how far each member has read
claim_typing   whether it is time to say again that someone types
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.chats import ReadPosition
from fechatter.domain.people import Caller
from fechatter.store.database import Connection, struct_from

TYPING_EVERY_S = 3

# The caller's own membership, if the session goes on and the workspace has not suspended them.
_MINE = """
    SELECT cm.chat_id, cm.user_id, cm.workspace_id, c.last_seq
    FROM chat_members cm
    JOIN chats c ON c.id = cm.chat_id
    JOIN workspace_members wm ON wm.workspace_id = cm.workspace_id AND wm.user_id = cm.user_id AND wm.status = 'Active'
    JOIN sessions s ON s.id = $3 AND s.user_id = cm.user_id AND s.ended_at IS NULL
    JOIN users u ON u.id = cm.user_id AND u.status = 'Active'
    WHERE cm.chat_id = $1 AND cm.user_id = $2
"""


class Marked(msgspec.Struct, frozen=True):
    """`last_read_seq`: where the position is now; None if it stayed."""

    workspace_id: int
    last_read_seq: int | None


async def mark_read(connection: Connection, reader: Caller, chat_id: int, seq: int) -> Marked | None:
    """Move the reader's position on to `seq`, or to the newest message if that is less. None for a non-member."""
    row = await connection.fetchrow(
        f"""
        WITH mine AS MATERIALIZED ({_MINE}), moved AS (
            UPDATE chat_members cm SET last_read_seq = least($4, mine.last_seq), read_at = clock_timestamp()
            FROM mine
            WHERE cm.chat_id = mine.chat_id AND cm.user_id = mine.user_id
              AND cm.last_read_seq < least($4, mine.last_seq)
            RETURNING cm.last_read_seq
        )
        SELECT mine.workspace_id, moved.last_read_seq FROM mine LEFT JOIN moved ON true
        """,
        chat_id,
        reader.user_id,
        reader.session_id,
        seq,
    )
    return None if row is None else struct_from(row, Marked)


async def list_(connection: Connection, chat_id: int, *, limit: int, offset: int) -> Sequence[ReadPosition]:
    """How far each member has read, in the order of joining."""
    rows = await connection.fetch(
        """
        SELECT user_id, last_read_seq, read_at FROM chat_members
        WHERE chat_id = $1 ORDER BY created_at, user_id LIMIT $2 OFFSET $3
        """,
        chat_id,
        limit,
        offset,
    )
    return [struct_from(row, ReadPosition) for row in rows]


async def claim_typing(connection: Connection, writer: Caller, chat_id: int) -> bool | None:
    """Whether the others are to be told now; at most once in TYPING_EVERY_S. None for a non-member.

    Of two servers that ask at the same moment, one is told yes.
    """
    row = await connection.fetchrow(
        f"""
        WITH mine AS MATERIALIZED ({_MINE}), claimed AS (
            INSERT INTO typing (chat_id, user_id, at) SELECT chat_id, user_id, clock_timestamp() FROM mine
            ON CONFLICT (chat_id, user_id) DO UPDATE SET at = excluded.at
            WHERE typing.at <= excluded.at - $4 * interval '1 second'
            RETURNING true AS due
        )
        SELECT coalesce(claimed.due, false) AS due FROM mine LEFT JOIN claimed ON true
        """,
        chat_id,
        writer.user_id,
        writer.session_id,
        float(TYPING_EVERY_S),
    )
    return None if row is None else row["due"]
