"""Messages after they were posted. The chat's row is held by whoever calls.

find     a message of a chat
edit     new text, with the mentions that it makes
erase    leave a tombstone
"""

from collections.abc import Sequence

from fechatter.domain.messages import Message
from fechatter.domain.vectors import Indexed
from fechatter.store.database import Connection
from fechatter.store.messages import messages
from fechatter.store.search import message_words


async def find(connection: Connection, chat_id: int, message_id: int) -> Message | None:
    """The message, if it is one of the chat's."""
    row = await connection.fetchrow(
        f"SELECT {messages.COLUMNS} FROM messages m WHERE m.id = $1 AND m.chat_id = $2", message_id, chat_id
    )
    return None if row is None else messages.from_row(row)


async def edit(
    connection: Connection, message: Message, content: str, names: Sequence[str], found_by: Indexed
) -> Message:
    """Replace the text; `names`: the usernames that it may mention. Mentions it no longer makes count no more."""
    await message_words.learn(connection, found_by.spelled)
    row = await connection.fetchrow(
        f"""
        WITH named AS MATERIALIZED (
            SELECT array_agg(u.id ORDER BY array_position($4::text[], u.username_key)) AS ids
            FROM users u JOIN chat_members cm ON cm.user_id = u.id AND cm.chat_id = $2
            WHERE u.username_key = ANY($4::text[])
        ), edited AS (
            UPDATE messages SET content = $3, mentions = named.ids, edited_at = clock_timestamp()
            FROM named WHERE id = $1
            RETURNING messages.*
        ), unmentioned AS (
            DELETE FROM mentions x USING edited m
            WHERE x.user_id = ANY($5::bigint[]) AND x.chat_id = m.chat_id AND x.seq = m.seq
              AND x.user_id <> ALL(coalesce(m.mentions, '{{}}'))
        ), mentioned AS (
            INSERT INTO mentions (user_id, chat_id, seq, workspace_id)
            SELECT unnest(m.mentions), m.chat_id, m.seq, m.workspace_id FROM edited m
            ON CONFLICT DO NOTHING
        ), found AS (
            INSERT INTO message_words (message_id, workspace_id, chat_id, sender_id, sent_at, words)
            SELECT m.id, m.workspace_id, m.chat_id, m.sender_id, m.created_at,
                   $6::text::tsvector || {message_words.NAMES} || {message_words.KEYS} FROM edited m
            ON CONFLICT (message_id) DO UPDATE SET words = EXCLUDED.words
        )
        SELECT {messages.COLUMNS} FROM edited m
        """,
        message.id,
        message.chat_id,
        content,
        names,
        message.mentions,
        found_by.vector,
    )
    assert row is not None, "the message was found under the chat's lock"
    return messages.from_row(row)


async def erase(connection: Connection, message: Message) -> Message:
    """Take away text, files and mentions, and the words that it was found by; its number, sender and times stay."""
    await connection.execute(
        "DELETE FROM mentions WHERE user_id = ANY($1::bigint[]) AND chat_id = $2 AND seq = $3",
        message.mentions,
        message.chat_id,
        message.seq,
    )
    row = await connection.fetchrow(
        f"""
        WITH erased AS (
            UPDATE messages SET content = '', files = NULL, mentions = NULL, deleted_at = clock_timestamp()
            WHERE id = $1 RETURNING *
        ), unfound AS (
            DELETE FROM message_words WHERE message_id = $1
        )
        SELECT {messages.COLUMNS} FROM erased m
        """,
        message.id,
    )
    assert row is not None, "the message was found under the chat's lock"
    return messages.from_row(row)
