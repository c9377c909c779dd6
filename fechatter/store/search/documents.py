"""Messages as an index takes them in.

of_messages   some, by id; those that are deleted, or whose chat is, are not among them
after         the next ones in the order of ids
count         about how many there are
gone_chats    which of some chats are no more
gone_workspaces
"""

from collections.abc import Sequence

from fechatter.domain.search import Document
from fechatter.store.database import Connection, Row

_DOCUMENT = """
    SELECT m.id, m.workspace_id, m.chat_id, m.sender_id, m.content, m.mentions, m.created_at,
           CASE WHEN m.files IS NOT NULL THEN ARRAY(
               SELECT f.name FROM unnest(m.files) WITH ORDINALITY AS x (id, place) JOIN files f ON f.id = x.id
               ORDER BY x.place) END AS file_names
    FROM messages m
"""
_KEPT = "m.deleted_at IS NULL AND EXISTS (SELECT FROM chats c WHERE c.id = m.chat_id)"


async def of_messages(connection: Connection, ids: Sequence[int]) -> list[Document]:
    rows = await connection.fetch(f"{_DOCUMENT} WHERE m.id = ANY($1::bigint[]) AND {_KEPT} ORDER BY m.id", ids)
    return [_document(row) for row in rows]


async def after(connection: Connection, message_id: int, at_most: int) -> list[Document]:
    rows = await connection.fetch(
        f"{_DOCUMENT} WHERE m.id > $1 AND {_KEPT} ORDER BY m.id LIMIT $2", message_id, at_most
    )
    return [_document(row) for row in rows]


async def count(connection: Connection) -> int:
    """As the planner knows it, which is quick; exactly where there are few."""
    estimate: int = await connection.fetchval("SELECT reltuples::bigint FROM pg_class WHERE oid = 'messages'::regclass")
    return estimate if estimate > 10_000 else await connection.fetchval("SELECT count(*) FROM messages")


async def gone_chats(connection: Connection, ids: Sequence[int]) -> list[int]:
    rows = await connection.fetch(
        "SELECT x.id FROM unnest($1::bigint[]) AS x (id) WHERE NOT EXISTS (SELECT FROM chats c WHERE c.id = x.id)", ids
    )
    return [row["id"] for row in rows]


async def gone_workspaces(connection: Connection, ids: Sequence[int]) -> list[int]:
    rows = await connection.fetch(
        """
        SELECT x.id FROM unnest($1::bigint[]) AS x (id)
        WHERE NOT EXISTS (SELECT FROM workspaces w WHERE w.id = x.id)
        """,
        ids,
    )
    return [row["id"] for row in rows]


def _document(row: Row) -> Document:
    return Document(
        message_id=row["id"],
        workspace_id=row["workspace_id"],
        chat_id=row["chat_id"],
        sender_id=row["sender_id"],
        content=row["content"],
        file_names=row["file_names"] or (),
        mentions=row["mentions"] or (),
        sent_at=row["created_at"],
    )
