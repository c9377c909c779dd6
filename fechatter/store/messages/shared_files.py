"""The files that a chat's messages carry.

list_      newest message first, a message's files in its order
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.messages import SharedFile
from fechatter.store import files
from fechatter.store.database import Connection


async def list_(connection: Connection, chat_id: int, *, limit: int, offset: int) -> Sequence[SharedFile]:
    """Each with the message that carries it; those of deleted messages are gone."""
    rows = await connection.fetch(
        f"""
        WITH page AS (
            SELECT mf.message_id, mf.file_id FROM message_files mf
            WHERE mf.chat_id = $1 ORDER BY mf.message_id DESC, mf.file_id LIMIT $2 OFFSET $3
        )
        SELECT json_build_object(
            'file', {files.JSON}, 'message_id', m.id, 'sender_id', m.sender_id, 'sent_at', m.created_at) AS shared
        FROM page
        JOIN files f ON f.id = page.file_id
        JOIN messages m ON m.id = page.message_id AND m.chat_id = $1 AND m.deleted_at IS NULL
        ORDER BY m.id DESC, f.id
        """,
        chat_id,
        limit,
        offset,
    )
    return [msgspec.json.decode(row["shared"], type=SharedFile) for row in rows]
