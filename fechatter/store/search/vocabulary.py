"""The words that there are, and the index's list of what is new.

flush         put what is new where it belongs
count         about how many words there are
forget_rare   some that hardly any message has
"""

from contextlib import suppress

import asyncpg

from fechatter.store.database import Connection


async def flush(connection: Connection) -> None:
    """Whoever is not the owner of the tables leaves it to PostgreSQL, which does the same when the list is full."""
    with suppress(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SELECT gin_clean_pending_list('message_words_words')")


async def count(connection: Connection) -> int:
    """As of the last time that PostgreSQL looked."""
    return await connection.fetchval("SELECT reltuples::bigint FROM pg_class WHERE oid = 'search_words'::regclass")


async def forget_rare(connection: Connection, at_most: int) -> int:
    """Of some words by chance, those that fewer than two messages have. Returns how many those were."""
    done = await connection.execute(
        """
        DELETE FROM search_words s USING (
            SELECT word FROM search_words ORDER BY random() LIMIT $1
        ) looked_at
        WHERE s.word = looked_at.word AND (
            SELECT count(*) FROM (
                SELECT FROM message_words w WHERE w.words @@ quote_literal(s.word)::tsquery LIMIT 2) n) < 2
        """,
        at_most,
    )
    await connection.execute("ANALYZE search_words")
    return int(done.rpartition(" ")[2])
