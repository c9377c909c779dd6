"""The sidebar: all chats of a user, newest activity first, in one statement.

of_user   the chats, unless they are still as they were at a stamp
"""

import msgspec

from fechatter.domain.chats import Chat
from fechatter.domain.people import Caller
from fechatter.store.chats.chats import COLUMNS, LAST, MENTIONS, from_row
from fechatter.store.database import Connection
from fechatter.store.messages import messages

# Whatever changes a chat for its members takes a position in its stream, so the position, how far the user has read
# and which chats there are, together, stamp the list. If the stamp is the one that is known, the join below it
# never runs: OFFSET 0 keeps the planner from asking only after it.
_SIDEBAR = f"""
WITH caller AS MATERIALIZED (
    SELECT u.id FROM users u
    JOIN sessions s ON s.id = $2 AND s.user_id = u.id AND s.ended_at IS NULL
    WHERE u.id = $1 AND u.status = 'Active'
), mine AS MATERIALIZED (
    SELECT c.id, c.active_at, (c.id, c.last_pos, c.last_seq, cm.last_read_seq) AS state
    FROM caller
    JOIN chat_members cm ON cm.user_id = caller.id
    JOIN chats c ON c.id = cm.chat_id
    JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
    WHERE ($3::bigint IS NULL OR c.workspace_id = $3) AND (cm.hidden_seq IS NULL OR c.last_seq > cm.hidden_seq)
), stamp AS MATERIALIZED (
    SELECT count(*) || ':' || coalesce(sum(hash_record_extended(state, 0)), 0) AS stamp FROM mine
), shown AS MATERIALIZED (
    SELECT id FROM mine ORDER BY active_at DESC, id DESC LIMIT $4 OFFSET $5
)
SELECT stamp.stamp, chat.* FROM caller CROSS JOIN stamp LEFT JOIN LATERAL (
    SELECT {COLUMNS}, {MENTIONS}, {messages.COLUMNS}, c.active_at
    FROM shown JOIN chats c ON c.id = shown.id JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1 {LAST}
    WHERE stamp.stamp IS DISTINCT FROM $6 OFFSET 0
) chat ON true
ORDER BY chat.active_at DESC, chat.chat_id_ DESC
"""


class Sidebar(msgspec.Struct, frozen=True):
    """`chats` is None if they are as they were when `stamp` was given."""

    stamp: str
    chats: list[Chat] | None


async def of_user(
    connection: Connection,
    caller: Caller,
    workspace_id: int | None,
    *,
    limit: int,
    offset: int,
    known: str | None = None,
) -> Sidebar | None:
    """The caller's chats, newest activity first; None if the session has ended."""
    rows = await connection.fetch(_SIDEBAR, caller.user_id, caller.session_id, workspace_id, limit, offset, known)
    if not rows:
        return None
    stamp: str = rows[0]["stamp"]
    if stamp == known:
        return Sidebar(stamp, None)
    return Sidebar(stamp, [from_row(row) for row in rows if row["chat_id_"] is not None])
