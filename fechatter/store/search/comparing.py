"""The built-in search's words against those that messages have now.

flawed   which of some messages have no words, or others
ids      all messages that have words
kept     which of some do
"""

from collections.abc import AsyncGenerator, Sequence

from fechatter.store.database import Connection
from fechatter.store.search.message_words import KEYS, NAMES

_AT_ONCE = 10_000


async def flawed(
    connection: Connection, message_ids: Sequence[int], vectors: Sequence[str]
) -> tuple[list[int], list[int]]:
    """`vectors`: of the messages' texts. Gives those without words, and those with others."""
    rows = await connection.fetch(
        f"""
        SELECT m.id, w.message_id IS NULL AS missing
        FROM unnest($1::bigint[], $2::text[]) AS t (id, vector) JOIN messages m ON m.id = t.id
        LEFT JOIN message_words w ON w.message_id = m.id
        WHERE w.message_id IS NULL OR w.chat_id <> m.chat_id OR w.sender_id <> m.sender_id
           OR w.sent_at <> m.created_at OR w.words <> t.vector::tsvector || {NAMES} || {KEYS}
        """,
        message_ids,
        vectors,
    )
    return [row["id"] for row in rows if row["missing"]], [row["id"] for row in rows if not row["missing"]]


async def ids(connection: Connection) -> AsyncGenerator[list[int]]:
    """But for those of chats that are being taken down: their messages and words go together, some at a time."""
    last = 0
    while rows := await connection.fetch(
        """
        SELECT w.message_id FROM message_words w
        WHERE w.message_id > $1 AND NOT EXISTS (SELECT FROM chat_garbage g WHERE g.chat_id = w.chat_id)
        ORDER BY w.message_id LIMIT $2
        """,
        last,
        _AT_ONCE,
    ):
        last = rows[-1]["message_id"]
        yield [row["message_id"] for row in rows]


async def kept(connection: Connection, message_ids: Sequence[int]) -> list[int]:
    rows = await connection.fetch(
        """
        SELECT w.message_id FROM message_words w
        WHERE w.message_id = ANY($1::bigint[])
          AND NOT EXISTS (SELECT FROM chat_garbage g WHERE g.chat_id = w.chat_id)
        """,
        message_ids,
    )
    return [row["message_id"] for row in rows]
