"""Messages as they are read.

page           a stretch of a chat's history
first_at       the first message from a moment on
from_row       the wire form of a row with COLUMNS
"""

from datetime import datetime

import msgspec

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.messages import Message
from fechatter.domain.people import Caller
from fechatter.store import files
from fechatter.store.database import Connection, Row

_FILES = f"""
    CASE WHEN m.files IS NOT NULL AND m.deleted_at IS NULL THEN (
        SELECT json_agg({files.JSON} ORDER BY x.place)
        FROM unnest(m.files) WITH ORDINALITY AS x (id, place) JOIN files f ON f.id = x.id) END AS files
"""
COLUMNS = (
    f"m.id, m.chat_id, m.seq, m.sender_id, m.content, {_FILES}, m.reply_to, m.mentions, "
    "m.created_at, m.edited_at, m.deleted_at, m.idempotency_key"
)

# A chat that the caller may read: its own, or a public channel of a workspace that it is in, but for guests. A join,
# since EXISTS beside OR would have PostgreSQL read all of the caller's memberships for one chat.
READABLE = """
    SELECT c.id, c.last_seq FROM chats c
    JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $2 AND wm.status = 'Active'
    JOIN sessions s ON s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL
    JOIN users u ON u.id = $2 AND u.status = 'Active'
    LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $2
    WHERE c.id = $1 AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')
"""
# Numbers have no gaps and tombstones keep theirs, so a page is a range of numbers around an anchor:
# the message named by id, else the newest.
_PAGE = f"""
WITH readable AS ({READABLE}), anchor AS (
    SELECT m.seq FROM readable JOIN messages m ON m.chat_id = readable.id WHERE m.id = $4
)
SELECT readable.last_seq, anchor.seq AS anchor, {COLUMNS}
FROM readable LEFT JOIN anchor ON true LEFT JOIN LATERAL (
    SELECT * FROM messages m
    WHERE m.chat_id = readable.id
      AND m.seq BETWEEN coalesce(anchor.seq, readable.last_seq) + $5 AND coalesce(anchor.seq, readable.last_seq) + $6
) m ON true
ORDER BY m.seq DESC
"""
# Numbers have no gaps, and times ascend with them but for a clock that was set back: halving the range again and again
# finds a moment among a million messages in twenty steps, without an index of its own.
_FIRST_AT = f"""
WITH RECURSIVE readable AS ({READABLE}), halved AS (
    SELECT 1::bigint AS low, last_seq::bigint + 1 AS high FROM readable
    UNION ALL
    SELECT CASE WHEN m.created_at < $4 THEN m.seq + 1 ELSE low END, CASE WHEN m.created_at < $4 THEN high ELSE m.seq END
    FROM halved JOIN messages m ON m.chat_id = $1 AND m.seq = (low + high) / 2
    WHERE low < high
)
SELECT m.id FROM halved JOIN readable ON halved.low = halved.high
JOIN messages m ON m.chat_id = $1 AND m.seq = least(halved.low, readable.last_seq)
"""


class Page(msgspec.Struct, frozen=True):
    """A stretch of history, newest first.

    has_older, has_newer   whether the chat goes on beyond either end
    """

    messages: list[Message]
    has_older: bool
    has_newer: bool


async def page(
    connection: Connection, reader: Caller, chat_id: int, anchor_id: int | None, low: int, high: int
) -> Page | None:
    """Messages `low` to `high` places from the anchor (negative: older), or from the newest without one.

    None if the reader may not read the chat or the session has ended. Raises InvalidRequest if the anchor is not a
    message of the chat.
    """
    rows = await connection.fetch(_PAGE, chat_id, reader.user_id, reader.session_id, anchor_id, low, high)
    if not rows:
        return None
    first = rows[0]
    if anchor_id is not None and first["anchor"] is None:
        raise InvalidRequest("There is no message of that id in this chat: use the id of one that you have.")
    found = [from_row(row) for row in rows if row["id"] is not None]
    base: int = first["last_seq"] if anchor_id is None else first["anchor"]
    return Page(found, has_older=base + low > 1, has_newer=base + high < first["last_seq"])


async def first_at(connection: Connection, reader: Caller, chat_id: int, at: datetime) -> int | None:
    """The id of the chat's first message from `at` on, or of its last one if all are older.

    None if there is no message, or none that the reader may read.
    """
    return await connection.fetchval(_FIRST_AT, chat_id, reader.user_id, reader.session_id, at)


def from_row(row: Row) -> Message:
    """The wire form of a row with COLUMNS."""
    return Message(
        id=row["id"],
        chat_id=row["chat_id"],
        seq=row["seq"],
        sender_id=row["sender_id"],
        content=row["content"],
        files=files.from_json(row["files"]),
        reply_to=row["reply_to"],
        mentions=row["mentions"] or [],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        idempotency_key=row["idempotency_key"],
    )
