"""Posting: any number of drafts, of any chats, in one statement.

post      store drafts with their events, numbers, read positions and mentions; what may not be posted has no row
refusal   why a draft had none, found out only when it had none

One post costs the database about as much to start as to do, so posts that come together go together: measured, 32 in
a statement cost 8 times less than 32 statements (docs/decisions/0002-posting-in-batches.md).
"""

from collections.abc import Sequence
from enum import Enum, auto

import msgspec

from fechatter.domain.events import stream_of_chat
from fechatter.domain.messages import Draft
from fechatter.domain.people import Caller
from fechatter.store.database import Connection, Row
from fechatter.store.log.outbox import Written, outbox_of
from fechatter.store.messages.messages import COLUMNS, READABLE
from fechatter.store.search.message_words import KEYS, learning

# Reading it top down:
#   draft      what was sent, numbered by n
#   earlier    the messages that their keys made before
#   named      the members whose names the texts mention
#   allowed    the drafts that may be posted: the lookup is the authorisation
#   locked     the chats' row locks, in the order of ids so that two servers cannot deadlock; not a chat that someone
#              has left since the members were looked at: it may have been the sender, so the statement runs again
#   chat       each chat moves on by its count of messages (seq) and events (pos)
#   …          what follows from it
#   found      the words by which it is found
# A retry that races its first try in another statement does not see it in `earlier` and breaks on the unique key: the
# whole statement is undone, so no number is skipped.
# With files in the batch, three parts more; without, they cost nothing:
#   given      the files that the drafts name
#   own        those that are their senders', of the same workspace; held, so that no sweep deletes them meanwhile
#   attached   which messages carry which files
# With words that this process has not seen before, which soon is rare, one more:
#   learnt     the words, for searches that spell them wrongly
_GIVEN = """
), given AS MATERIALIZED (
    SELECT * FROM unnest($12::int[], $13::bigint[]) WITH ORDINALITY AS g (n, file_id, place)
), own AS MATERIALIZED (
    SELECT g.n, g.file_id, g.place, f.words
    FROM given g JOIN draft d ON d.n = g.n JOIN chats c ON c.id = d.chat_id
    JOIN files f ON f.id = g.file_id AND f.uploader_id = d.user_id AND f.workspace_id = c.workspace_id
    ORDER BY f.id FOR KEY SHARE OF f
"""
_HAS_GIVEN = """
      AND (SELECT count(*) FROM given g WHERE g.n = d.n) = (SELECT count(*) FROM own WHERE own.n = d.n)
"""
_ATTACHED = """
), attached AS (
    INSERT INTO message_files (file_id, message_id, chat_id, workspace_id)
    SELECT x.file_id, m.id, m.chat_id, m.workspace_id FROM message m, unnest(m.files) AS x (file_id) ORDER BY 1
"""
_NAMES = """
    || coalesce((SELECT joined_vectors(own.words ORDER BY own.place)
                 FROM own WHERE own.n = a.n AND own.words IS NOT NULL), '')
"""


def _statement(*, waiting: bool, with_files: bool, with_words: bool) -> str:
    files = "(SELECT array_agg(own.file_id ORDER BY own.place) FROM own WHERE own.n = a.n)" if with_files else "NULL"
    learnt = learning(14 if with_files else 12, "EXISTS (SELECT FROM message)")
    return f"""
WITH draft AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bytea[],
        $11::text[]
    ) AS d (n, chat_id, user_id, session_id, content, key, reply_to, digest, vector)
), earlier AS MATERIALIZED (
    SELECT d.n, m.id, m.draft_digest FROM draft d
    JOIN sessions s ON s.id = d.session_id AND s.user_id = d.user_id AND s.ended_at IS NULL
    JOIN users u ON u.id = d.user_id AND u.status = 'Active'
    JOIN messages m ON m.sender_id = d.user_id AND m.idempotency_key = d.key
    WHERE d.key IS NOT NULL
), named AS MATERIALIZED (
    SELECT d.n, array_agg(u.id ORDER BY x.place) AS ids
    FROM unnest($9::int[], $10::text[]) WITH ORDINALITY AS x (n, name, place)
    JOIN draft d ON d.n = x.n
    JOIN users u ON u.username_key = x.name
    JOIN chat_members cm ON cm.chat_id = d.chat_id AND cm.user_id = u.id
    GROUP BY d.n
{_GIVEN if with_files else ""}
), allowed AS MATERIALIZED (
    SELECT d.*, c.departures, row_number() OVER (PARTITION BY d.chat_id ORDER BY d.n) AS nth
    FROM draft d
    JOIN chats c ON c.id = d.chat_id
    JOIN chat_members cm ON cm.chat_id = d.chat_id AND cm.user_id = d.user_id
    JOIN workspace_members wm
        ON wm.workspace_id = cm.workspace_id AND wm.user_id = d.user_id AND wm.status = 'Active'
    JOIN sessions s ON s.id = d.session_id AND s.user_id = d.user_id AND s.ended_at IS NULL
    JOIN users u ON u.id = d.user_id AND u.status = 'Active'
    WHERE NOT EXISTS (SELECT FROM earlier WHERE earlier.n = d.n)
      AND (d.reply_to IS NULL
           OR EXISTS (SELECT FROM messages r WHERE r.id = d.reply_to AND r.chat_id = d.chat_id))
      {_HAS_GIVEN if with_files else ""}
), locked AS MATERIALIZED (
    SELECT c.id, k.count
    FROM (SELECT chat_id, min(departures) AS departures, count(*) AS count FROM allowed GROUP BY chat_id) k
    JOIN chats c ON c.id = k.chat_id AND c.departures = k.departures
    ORDER BY c.id FOR NO KEY UPDATE OF c {"" if waiting else "SKIP LOCKED"}
), chat AS (
    UPDATE chats c
    SET last_seq = c.last_seq + k.count, last_pos = c.last_pos + k.count, active_at = clock_timestamp()
    FROM locked k WHERE c.id = k.id
    RETURNING c.id, c.workspace_id, c.last_seq - k.count AS seq, c.last_pos - k.count AS pos
), message AS (
    INSERT INTO messages
        (workspace_id, chat_id, seq, sender_id, content, reply_to, mentions, files, idempotency_key, draft_digest)
    SELECT chat.workspace_id, chat.id, chat.seq + a.nth, a.user_id, a.content, a.reply_to, named.ids, {files}, a.key,
           a.digest
    FROM allowed a JOIN chat ON chat.id = a.chat_id LEFT JOIN named ON named.n = a.n
    ORDER BY chat.id, a.nth
    RETURNING *
), event AS (
    INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id)
    SELECT 'chat:' || m.chat_id, chat.pos + m.seq - chat.seq, m.workspace_id, 'message.created', m.chat_id, m.id
    FROM message m JOIN chat ON chat.id = m.chat_id
), own_read AS (
    UPDATE chat_members cm SET last_read_seq = m.seq, read_at = m.created_at
    FROM (SELECT chat_id, sender_id, max(seq) AS seq, max(created_at) AS created_at FROM message GROUP BY 1, 2) m
    WHERE cm.chat_id = m.chat_id AND cm.user_id = m.sender_id
), mention AS (
    INSERT INTO mentions (user_id, chat_id, seq, workspace_id)
    SELECT unnest(m.mentions), m.chat_id, m.seq, m.workspace_id FROM message m WHERE m.mentions IS NOT NULL
), found AS (
    INSERT INTO message_words (message_id, workspace_id, chat_id, sender_id, sent_at, words)
    SELECT m.id, m.workspace_id, m.chat_id, m.sender_id, m.created_at,
           a.vector::tsvector {_NAMES if with_files else ""} || {KEYS}
    FROM message m JOIN chat ON chat.id = m.chat_id JOIN allowed a ON a.chat_id = m.chat_id AND a.nth = m.seq - chat.seq
{_ATTACHED if with_files else ""}
{f"), learnt AS ({learnt}" if with_words else ""}
)
SELECT a.n, NULL::bytea AS earlier_digest, true AS new, chat.pos + m.seq - chat.seq AS pos, m.workspace_id, {COLUMNS}
FROM message m JOIN chat ON chat.id = m.chat_id JOIN allowed a ON a.chat_id = m.chat_id AND a.nth = m.seq - chat.seq
UNION ALL
SELECT earlier.n, earlier.draft_digest, false, NULL, NULL, {COLUMNS} FROM earlier JOIN messages m ON m.id = earlier.id
"""


POST = {
    (waiting, with_files, with_words): _statement(waiting=waiting, with_files=with_files, with_words=with_words)
    for waiting in (False, True)
    for with_files in (False, True)
    for with_words in (False, True)
}
"""The posting statement, by whether it waits for locked chats, and whether files and new words are in it."""


class Refused(Enum):
    """Why nothing was posted."""

    SESSION_ENDED = auto()
    NOT_VISIBLE = auto()
    NOT_A_MEMBER = auto()
    NO_SUCH_REPLY = auto()
    NO_SUCH_FILE = auto()


class Post(msgspec.Struct, frozen=True):
    """A draft on its way. `names`: the usernames that its text may mention; `vector`: what it is found by."""

    author: Caller
    chat_id: int
    draft: Draft
    names: Sequence[str]
    vector: str


async def post(connection: Connection, posts: Sequence[Post], words: Sequence[str], *, wait: bool) -> dict[int, Row]:
    """Store what may be stored; return the rows of messages by the post's place in `posts`. `words`: to be learnt.

    `new` in a row says whether the message was made now; else `earlier_digest` says what its key was used for. A post
    has no row if it was refused or, unless `wait`, if another transaction holds its chat. Raises UniqueViolationError,
    with nothing stored, when a key is being used by another statement at this moment.
    """
    drafts = [post.draft for post in posts]
    files = [(n, file_id) for n, draft in enumerate(drafts) for file_id in draft.files]
    rows = await connection.fetch(
        POST[wait, bool(files), bool(words)],
        range(len(posts)),
        [post.chat_id for post in posts],
        [post.author.user_id for post in posts],
        [post.author.session_id for post in posts],
        [draft.content for draft in drafts],
        [draft.idempotency_key for draft in drafts],
        [draft.reply_to for draft in drafts],
        [None if post.draft.idempotency_key is None else post.draft.digest(post.chat_id) for post in posts],
        [n for n, post in enumerate(posts) for _ in post.names],
        [name for post in posts for name in post.names],
        [post.vector for post in posts],
        *([[n for n, _ in files], [file_id for _, file_id in files]] if files else []),
        *([words] if words else []),
    )
    if (outbox := outbox_of(connection)) is not None:
        outbox.events += [
            Written(stream_of_chat(row["chat_id"]), row["pos"], row["workspace_id"]) for row in rows if row["new"]
        ]
    return {row["n"]: row for row in rows}


async def refusal(connection: Connection, author: Caller, chat_id: int, draft: Draft) -> Refused:
    """Why a post found nothing to do."""
    row = await connection.fetchrow(
        f"""
        SELECT EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id AND u.status = 'Active'
                       WHERE s.id = $3 AND s.user_id = $2 AND s.ended_at IS NULL) AS live,
               EXISTS ({READABLE}) AS readable,
               EXISTS (SELECT FROM chat_members WHERE chat_id = $1 AND user_id = $2) AS member,
               $4::bigint IS NOT NULL AND NOT EXISTS (
                   SELECT FROM messages r WHERE r.id = $4 AND r.chat_id = $1) AS no_reply
        """,
        chat_id,
        author.user_id,
        author.session_id,
        draft.reply_to,
    )
    assert row is not None
    if not row["live"]:
        return Refused.SESSION_ENDED
    if not row["readable"]:
        return Refused.NOT_VISIBLE
    if not row["member"]:
        return Refused.NOT_A_MEMBER
    if row["no_reply"]:
        return Refused.NO_SUCH_REPLY
    # Who finds everything in order now was no member when the post was tried, and has come in since.
    return Refused.NO_SUCH_FILE if draft.files else Refused.NOT_A_MEMBER
