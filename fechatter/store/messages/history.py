"""A loaded history: what posting, joining and signing up do one at a time, for many at once.

channels, insert_channels                    where it was said
present                                      what is there already
lock, admit, newcomers_view, set_joined      who hears it from now on
mentioned_members, insert_messages           what was said

Each is one statement over arrays. The rules are those of the single ones: `seq` and `pos` come from the locked row of
the chat, messages and their events are written together.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fechatter.domain.chats import Chat, ChatType
from fechatter.domain.text import fold
from fechatter.domain.vectors import Indexed
from fechatter.store.chats import chats
from fechatter.store.database import Connection, struct_from
from fechatter.store.messages import messages
from fechatter.store.messages.history_people import rows_in
from fechatter.store.search import message_words
from fechatter.store.search.message_words import KEYS


class Newcomer(msgspec.Struct, frozen=True):
    chat_id: int
    user_id: int
    since: datetime | None


class LockedChat(msgspec.Struct, frozen=True):
    """A chat whose row is held: its newest message and event, and whether someone owns it."""

    id: int
    last_seq: int
    last_pos: int
    has_owner: bool


class Said(msgspec.Struct, frozen=True):
    """A message to store. `mentions` in the order of the text; `found_by`: its words."""

    chat_id: int
    seq: int
    sender_id: int
    content: str
    mentions: list[int]
    key: str
    at: datetime
    found_by: Indexed


async def channels(connection: Connection, workspace_id: int, keys: Sequence[str]) -> dict[str, tuple[int, ChatType]]:
    """Id and type of the channels whose folded names are among `keys`."""
    rows = await connection.fetch(
        "SELECT name_key, id, type FROM chats WHERE workspace_id = $1 AND name_key = ANY($2::text[])",
        workspace_id,
        keys,
    )
    return {row["name_key"]: (row["id"], ChatType(row["type"])) for row in rows}


async def insert_channels(
    connection: Connection, workspace_id: int, owner_id: int, names: Sequence[str], since: Sequence[datetime]
) -> int:
    """Make public channels without members; how many. A name that is taken by now is left out."""
    made = await connection.execute(
        """
        INSERT INTO chats (workspace_id, type, name, name_key, created_by, created_at, active_at)
        SELECT $1, 'PublicChannel', n.name, n.key, $2, n.since, n.since
        FROM unnest($3::text[], $4::text[], $5::timestamptz[]) AS n (name, key, since)
        ON CONFLICT DO NOTHING
        """,
        workspace_id,
        owner_id,
        names,
        [fold(name) for name in names],
        since,
    )
    return rows_in(made)


async def present(connection: Connection, emails: Sequence[str], keys: Sequence[str]) -> set[str]:
    """Those of `keys` under which the author of that address has a message."""
    rows = await connection.fetch(
        """
        SELECT n.key FROM unnest($1::text[], $2::text[]) AS n (email, key)
        JOIN users u ON u.email_key = n.email
        JOIN messages m ON m.sender_id = u.id AND m.idempotency_key = n.key
        """,
        emails,
        keys,
    )
    return {row["key"] for row in rows}


async def lock(connection: Connection, chat_ids: Sequence[int]) -> dict[int, LockedChat]:
    """Hold the chats against posts and other changes, in the order that everyone locks in; what still exists."""
    rows = await connection.fetch(
        """
        WITH locked AS (
            SELECT id, last_seq, last_pos FROM chats WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
        )
        SELECT *, EXISTS (SELECT FROM chat_members cm WHERE cm.chat_id = locked.id AND cm.role = 'owner') AS has_owner
        FROM locked
        """,
        chat_ids,
    )
    return {row["id"]: struct_from(row, LockedChat) for row in rows}


async def admit(
    connection: Connection, workspace_id: int, newcomers: Sequence[Newcomer], roles: Sequence[str]
) -> list[tuple[int, int]]:
    """Put people into locked chats with nothing unread; (chat, user) of those that were not in them.

    Who is suspended in the workspace stays out: their memberships come back with them.
    """
    rows = await connection.fetch(
        """
        WITH admitted AS (
            INSERT INTO chat_members (chat_id, user_id, workspace_id, role, last_read_seq, created_at)
            SELECT c.id, n.user_id, $1, n.role, c.last_seq, coalesce(n.since, now())
            FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[]) AS n (chat_id, user_id, role, since)
            JOIN chats c ON c.id = n.chat_id
            JOIN workspace_members wm
                ON wm.workspace_id = $1 AND wm.user_id = n.user_id AND wm.status = 'Active'
            ON CONFLICT DO NOTHING RETURNING chat_id, user_id
        ), counted AS (
            UPDATE chats c SET member_count = c.member_count + n.count
            FROM (SELECT chat_id, count(*) FROM admitted GROUP BY chat_id) n WHERE c.id = n.chat_id
        )
        SELECT chat_id, user_id FROM admitted ORDER BY chat_id, user_id
        """,
        workspace_id,
        [newcomer.chat_id for newcomer in newcomers],
        [newcomer.user_id for newcomer in newcomers],
        roles,
        [newcomer.since for newcomer in newcomers],
    )
    return [(row["chat_id"], row["user_id"]) for row in rows]


async def newcomers_view(connection: Connection, chat_ids: Sequence[int]) -> dict[int, Chat]:
    """The channels as their events carry them: for any member, nothing unread."""
    rows = await connection.fetch(
        f"""
        SELECT c.id AS chat_id_, c.workspace_id, c.name, c.type, c.description, c.created_by,
               c.created_at AS chat_created_at, c.updated_at, c.member_count, c.single_low, c.single_high, c.last_seq,
               c.last_seq AS last_read_seq, 0 AS mention_count, {messages.COLUMNS}
        FROM chats c LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq
        WHERE c.id = ANY($1::bigint[])
        """,
        chat_ids,
    )
    return {row["chat_id_"]: chats.from_row(row) for row in rows}


async def set_joined(connection: Connection, admitted: Sequence[tuple[int, int]], positions: Sequence[int]) -> None:
    """Remember the position of each newcomer's member.added: replay shows nothing of the chat from before it."""
    await connection.execute(
        """
        UPDATE chat_members cm SET joined_pos = n.pos
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n (chat_id, user_id, pos)
        WHERE cm.chat_id = n.chat_id AND cm.user_id = n.user_id
        """,
        [chat_id for chat_id, _ in admitted],
        [user_id for _, user_id in admitted],
        positions,
    )


async def mentioned_members(connection: Connection, named: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Of (chat, folded username): the users who are members of that chat."""
    rows = await connection.fetch(
        """
        SELECT n.chat_id, n.key, u.id FROM unnest($1::bigint[], $2::text[]) AS n (chat_id, key)
        JOIN users u ON u.username_key = n.key
        JOIN chat_members cm ON cm.chat_id = n.chat_id AND cm.user_id = u.id
        """,
        [chat_id for chat_id, _ in named],
        [key for _, key in named],
    )
    return {(row["chat_id"], row["key"]): row["id"] for row in rows}


async def insert_messages(connection: Connection, workspace_id: int, said: Sequence[Said]) -> None:
    """Store messages of locked chats with their events, mentions and their senders' read positions.

    `said` has the next numbers of each chat, in order, without gaps; the chat's row is moved on to the last of them.
    """
    await _move_on(connection, said)
    await connection.execute(
        _INSERT,
        workspace_id,
        [item.chat_id for item in said],
        [item.seq for item in said],
        [item.sender_id for item in said],
        [item.content for item in said],
        [f"{{{','.join(map(str, item.mentions))}}}" if item.mentions else None for item in said],
        [item.key for item in said],
        [item.at for item in said],
        [item.found_by.vector for item in said],
    )
    await message_words.learn(connection, list({word for item in said for word in item.found_by.spelled}))


async def _move_on(connection: Connection, said: Sequence[Said]) -> None:
    """As many messages, so many events; the newest time is the chat's last activity, unless someone posted since."""
    last = {item.chat_id: item for item in said}
    newest: dict[int, datetime] = {}
    for item in said:
        newest[item.chat_id] = max(item.at, newest.get(item.chat_id, item.at))
    await connection.execute(
        """
        UPDATE chats c
        SET last_seq = n.last_seq, last_pos = c.last_pos + n.last_seq - c.last_seq, active_at = greatest(active_at, at)
        FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS n (id, last_seq, at)
        WHERE c.id = n.id
        """,
        list(last),
        [item.seq for item in last.values()],
        [newest[chat_id] for chat_id in last],
    )


# The chat's row already stands at the last of these messages and events, which come in the same order: between
# number and position lies the same distance for all of them.
_INSERT = f"""
WITH message AS (
    INSERT INTO messages
        (workspace_id, chat_id, seq, sender_id, content, mentions, idempotency_key, created_at)
    SELECT $1, l.* FROM (
        SELECT l.chat_id, l.seq, l.sender_id, l.content, l.mentions::bigint[], l.key, l.at
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
            AS l (chat_id, seq, sender_id, content, mentions, key, at)) l
    RETURNING id, chat_id, seq, sender_id, files, mentions, created_at
), event AS (
    INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id)
    SELECT 'chat:' || m.chat_id, m.seq + c.last_pos - c.last_seq, $1, 'message.created', m.chat_id, m.id
    FROM message m JOIN chats c ON c.id = m.chat_id
), mention AS (
    INSERT INTO mentions (user_id, chat_id, seq, workspace_id)
    SELECT unnest(m.mentions), m.chat_id, m.seq, $1 FROM message m WHERE m.mentions IS NOT NULL
), found AS (
    INSERT INTO message_words (message_id, workspace_id, chat_id, sender_id, sent_at, words)
    SELECT m.id, $1, m.chat_id, m.sender_id, m.created_at, v.vector::tsvector || {KEYS}
    FROM message m
    JOIN unnest($2::bigint[], $3::bigint[], $9::text[]) AS v (chat_id, seq, vector)
        ON v.chat_id = m.chat_id AND v.seq = m.seq
)
UPDATE chat_members cm SET last_read_seq = own.seq, read_at = clock_timestamp()
FROM (SELECT chat_id, sender_id, max(seq) AS seq FROM message GROUP BY chat_id, sender_id) own
WHERE cm.chat_id = own.chat_id AND cm.user_id = own.sender_id
"""
