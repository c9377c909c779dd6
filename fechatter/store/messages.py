"""Messages: posted with one statement, read with one.

post           message, event, sequence number, read position and mentions in one statement
refusal        why a post was refused, found out only when it was
page           a stretch of a chat's history
from_row       the wire form of a row with COLUMNS
"""

from collections.abc import Sequence
from enum import Enum, auto

import asyncpg
import msgspec

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.messages import Draft, Message
from fechatter.domain.people import Caller
from fechatter.store.database import Connection, Row

COLUMNS = (
    "m.id, m.chat_id, m.seq, m.sender_id, m.content, m.files, m.reply_to, m.mentions, "
    "m.created_at, m.edited_at, m.deleted_at, m.idempotency_key"
)

# One statement, one round trip, one commit. Reading it top down:
#   earlier    the message that this key made before, if any
#   named      the members whose names the text mentions
#   chat       the row lock that numbers messages (seq) and events (pos); no row if the caller may not post,
#              so that the lookup is the authorisation
#   …          what follows from it
# A retry that races its first try does not see it in `earlier` and breaks on the unique key: the whole statement is
# undone, so no number is skipped, and it is run again.
_POST = f"""
WITH earlier AS MATERIALIZED (
    SELECT m.id, m.draft_digest FROM messages m WHERE m.sender_id = $2 AND m.idempotency_key = $5
), named AS MATERIALIZED (
    SELECT array_agg(u.id ORDER BY array_position($7::text[], u.username_key)) AS ids
    FROM users u JOIN chat_members cm ON cm.user_id = u.id AND cm.chat_id = $1
    WHERE u.username_key = ANY($7::text[])
), chat AS (
    UPDATE chats c SET last_seq = c.last_seq + 1, last_pos = c.last_pos + 1, active_at = clock_timestamp()
    FROM chat_members cm, workspace_members wm, sessions s, users u
    WHERE c.id = $1 AND cm.chat_id = $1 AND cm.user_id = $2
      AND wm.workspace_id = cm.workspace_id AND wm.user_id = $2 AND wm.status = 'Active'
      AND s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL AND u.id = $2 AND u.status = 'Active'
      AND NOT EXISTS (SELECT FROM earlier)
      AND ($6::bigint IS NULL OR EXISTS (SELECT FROM messages r WHERE r.id = $6 AND r.chat_id = $1))
    RETURNING c.id, c.workspace_id, c.last_seq, c.last_pos
), message AS (
    INSERT INTO messages
        (workspace_id, chat_id, seq, sender_id, content, reply_to, mentions, idempotency_key, draft_digest)
    SELECT chat.workspace_id, chat.id, chat.last_seq, $2, $4, $6, named.ids, $5, $8 FROM chat, named
    RETURNING *
), event AS (
    INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id)
    SELECT 'chat:' || chat.id, chat.last_pos, chat.workspace_id, 'message.created', chat.id, message.id
    FROM chat, message
), own_read AS (
    UPDATE chat_members cm SET last_read_seq = message.seq, read_at = message.created_at
    FROM message WHERE cm.chat_id = message.chat_id AND cm.user_id = $2
), mention AS (
    INSERT INTO mentions (user_id, chat_id, seq, workspace_id)
    SELECT unnest(message.mentions), message.chat_id, message.seq, message.workspace_id FROM message
)
SELECT {COLUMNS}, NULL::bytea AS earlier_digest, true AS new FROM message m
UNION ALL
SELECT {COLUMNS}, earlier.draft_digest, false FROM earlier JOIN messages m ON m.id = earlier.id
WHERE EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id AND u.status = 'Active'
              WHERE s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL)
"""

# A chat that the caller may read: its own, or a public channel of a workspace that it is in, but for guests.
_READABLE = """
    SELECT c.id, c.last_seq FROM chats c
    JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $2 AND wm.status = 'Active'
    JOIN sessions s ON s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL
    JOIN users u ON u.id = $2 AND u.status = 'Active'
    WHERE c.id = $1 AND (
        EXISTS (SELECT FROM chat_members cm WHERE cm.chat_id = c.id AND cm.user_id = $2)
        OR c.type = 'PublicChannel' AND wm.role <> 'guest')
"""
# Numbers have no gaps and tombstones keep theirs, so a page is a range of numbers around an anchor:
# the message named by id, else the newest.
_PAGE = f"""
WITH readable AS ({_READABLE}), anchor AS (
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


class Refused(Enum):
    """Why nothing was posted."""

    SESSION_ENDED = auto()
    NOT_VISIBLE = auto()
    NOT_A_MEMBER = auto()
    NO_SUCH_REPLY = auto()


class Page(msgspec.Struct, frozen=True):
    """A stretch of history, newest first.

    has_older, has_newer   whether the chat goes on beyond either end
    """

    messages: list[Message]
    has_older: bool
    has_newer: bool


async def post(connection: Connection, author: Caller, chat_id: int, draft: Draft, names: Sequence[str]) -> Row | None:
    """Run the posting statement; None if it was refused, or if its first try is under way elsewhere.

    `new` in the row says whether the message was made now; else `earlier_digest` says what its key was used for.
    """
    arguments = (
        chat_id,
        author.user_id,
        author.session_id,
        draft.content,
        draft.idempotency_key,
        draft.reply_to,
        names,
        None if draft.idempotency_key is None else draft.digest(chat_id),
    )
    try:
        return await connection.fetchrow(_POST, *arguments)
    except asyncpg.UniqueViolationError:
        return await connection.fetchrow(_POST, *arguments)


async def refusal(connection: Connection, author: Caller, chat_id: int) -> Refused:
    """Why the posting statement found nothing to do."""
    row = await connection.fetchrow(
        f"""
        SELECT EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id AND u.status = 'Active'
                       WHERE s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL) AS live,
               EXISTS ({_READABLE}) AS readable,
               EXISTS (SELECT FROM chat_members WHERE chat_id = $1 AND user_id = $2) AS member
        """,
        chat_id,
        author.user_id,
        author.session_id,
    )
    assert row is not None
    if not row["live"]:
        return Refused.SESSION_ENDED
    if not row["readable"]:
        return Refused.NOT_VISIBLE
    return Refused.NO_SUCH_REPLY if row["member"] else Refused.NOT_A_MEMBER


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


def from_row(row: Row) -> Message:
    """The wire form of a row with COLUMNS."""
    return Message(
        id=row["id"],
        chat_id=row["chat_id"],
        seq=row["seq"],
        sender_id=row["sender_id"],
        content=row["content"],
        files=[],
        reply_to=row["reply_to"],
        mentions=row["mentions"] or [],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        idempotency_key=row["idempotency_key"],
    )
