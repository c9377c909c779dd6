"""What a search may look at, and what its hits say: read for each answer, so that nobody finds what they may not read.

searchable   the chats that a search looks into
messages_of  the messages of hits
chats_named  chats that the caller sees, by name
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.chats import Chat, ChatType
from fechatter.domain.errors import NotFound, Unauthenticated
from fechatter.domain.messages import Message
from fechatter.domain.people import Caller
from fechatter.domain.text import fold
from fechatter.store.chats import chats
from fechatter.store.database import Connection
from fechatter.store.messages import messages

# $1 the caller, $2 their session.
_LIVE = """
    EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id AND u.status = 'Active'
            WHERE s.id = $2 AND s.user_id = $1 AND s.ended_at IS NULL)
"""
_ACTIVE = "workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'"
_IS_MEMBER = "EXISTS (SELECT FROM chat_members cm WHERE cm.chat_id = c.id AND cm.user_id = $1)"
_SEARCHABLE = f"""
SELECT {_LIVE} AS live,
    $4::bigint IS NULL OR EXISTS (
        SELECT FROM workspace_members wm WHERE wm.workspace_id = $4 AND wm.user_id = $1 AND wm.status = 'Active'
    ) AS placed, ARRAY(
    SELECT cm.chat_id FROM chat_members cm
    JOIN workspace_members wm ON wm.workspace_id = cm.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
    WHERE cm.user_id = $1 AND $3::bigint IS NULL AND ($4::bigint IS NULL OR cm.workspace_id = $4)
    UNION ALL
    SELECT c.id FROM chats c JOIN {_ACTIVE}
    WHERE c.id = $3 AND ($4::bigint IS NULL OR c.workspace_id = $4)
      AND ({_IS_MEMBER} OR c.type = 'PublicChannel' AND wm.role <> 'guest')
) AS chats
"""
_MESSAGES = f"""
SELECT {messages.COLUMNS}, c.name AS chat_name, c.type AS chat_type
FROM unnest($3::bigint[]) WITH ORDINALITY AS x (id, place)
JOIN messages m ON m.id = x.id AND m.deleted_at IS NULL
JOIN chats c ON c.id = m.chat_id
JOIN {_ACTIVE}
WHERE {_LIVE} AND ({_IS_MEMBER} OR c.type = 'PublicChannel' AND wm.role <> 'guest')
ORDER BY x.place
"""
_CHATS = f"""
SELECT {chats.COLUMNS}, {chats.MENTIONS}, {messages.COLUMNS}
FROM chats c
JOIN {_ACTIVE}
LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
{chats.LAST}
WHERE {_LIVE} AND ($3::bigint IS NULL OR c.workspace_id = $3) AND c.type <> 'Single'
  AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')
  AND strpos(coalesce(c.name_key, lower(c.name)), $4) > 0
ORDER BY cm.user_id IS NULL, strpos(coalesce(c.name_key, lower(c.name)), $4), c.active_at DESC, c.id LIMIT $5
"""


class Read(msgspec.Struct, frozen=True):
    """A message with the chat that it stands in."""

    message: Message
    chat_name: str
    chat_type: ChatType


async def searchable(
    connection: Connection, caller: Caller, workspace_id: int | None, chat_id: int | None
) -> list[int]:
    """The chats that the caller is in, of a workspace perhaps; or the one named, if they may read it.

    Raises Unauthenticated, and NotFound for a chat or a workspace that the caller may not see.
    """
    row = await connection.fetchrow(_SEARCHABLE, caller.user_id, caller.session_id, chat_id, workspace_id)
    assert row is not None
    if not row["live"]:
        raise Unauthenticated("The session has ended: sign in again.")
    if not row["placed"] or (chat_id is not None and not row["chats"]):
        raise NotFound
    return row["chats"]


async def messages_of(connection: Connection, caller: Caller, message_ids: Sequence[int]) -> list[Read]:
    """Those that the caller may read now, in the order given."""
    rows = await connection.fetch(_MESSAGES, caller.user_id, caller.session_id, message_ids)
    return [Read(messages.from_row(row), row["chat_name"], ChatType(row["chat_type"])) for row in rows]


async def chats_named(
    connection: Connection, caller: Caller, workspace_id: int | None, query: str, *, limit: int
) -> list[Chat]:
    """Chats and channels with `query` in their name: those that the caller is in, then those that they may join."""
    rows = await connection.fetch(_CHATS, caller.user_id, caller.session_id, workspace_id, fold(query), limit)
    return [chats.from_row(row) for row in rows]
