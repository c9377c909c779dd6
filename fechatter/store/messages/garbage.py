"""What a deleted chat leaves: its messages and events, which nobody can see any more.

delete_some   a few thousand rows of one chat
"""

from fechatter.store.database import Connection

AT_ONCE = 5_000


async def delete_some(connection: Connection) -> bool:
    """Delete some of what is left of one deleted chat; False when there was nothing. Others may do the same at once."""
    return bool(
        await connection.fetchval(
            """
            WITH chat AS MATERIALIZED (
                SELECT chat_id FROM chat_garbage ORDER BY due, chat_id LIMIT 1 FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM messages WHERE id IN (
                    SELECT m.id FROM chat JOIN messages m ON m.chat_id = chat.chat_id LIMIT $1)
                RETURNING id, chat_id, seq, mentions
            ), unmentioned AS (
                DELETE FROM mentions x USING gone, unnest(gone.mentions) AS m (user_id)
                WHERE x.user_id = m.user_id AND x.chat_id = gone.chat_id AND x.seq = gone.seq
            ), unfound AS (
                DELETE FROM message_words w USING gone WHERE w.message_id = gone.id
            ), unsaid AS (
                DELETE FROM events e USING chat
                WHERE e.stream = 'chat:' || chat.chat_id AND (SELECT count(*) FROM gone) < $1
            ), done AS (
                DELETE FROM chat_garbage g USING chat
                WHERE g.chat_id = chat.chat_id AND (SELECT count(*) FROM gone) < $1
            )
            SELECT true FROM chat
            """,
            AT_ONCE,
        )
    )
