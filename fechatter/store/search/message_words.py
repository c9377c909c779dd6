"""The words of messages, written with them: what posting, editing and loading put into their statements.

KEYS          the expression for what a message m is found by beside its words
NAMES         the expression for the words of the files of a message m
learning      the part of a statement that learns words
learn         the same as a statement
"""

from collections.abc import Sequence

from fechatter.store.database import Connection

BLOCK = 8192
"""Ids in a block. Newest messages are looked at first, by their blocks (fechatter/search/builtin.py)."""

# For m, a row of messages. No word has a colon in it.
KEYS = f"""
    array_to_tsvector(
        ARRAY['c:' || m.chat_id, 's:' || m.sender_id, 'b:' || m.id / {BLOCK},
              't:' || to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM')]
        || CASE WHEN m.files IS NULL THEN '{{}}' ELSE ARRAY['f:'] END
        || CASE WHEN m.mentions IS NULL THEN '{{}}'
                ELSE ARRAY(SELECT 'm:' || x.id FROM unnest(m.mentions) AS x (id)) END)
"""
NAMES = """
    coalesce((SELECT joined_vectors(f.words ORDER BY x.place)
              FROM unnest(m.files) WITH ORDINALITY AS x (id, place) JOIN files f ON f.id = x.id
              WHERE f.words IS NOT NULL), '')
"""


def learning(parameter: int, where: str = "true") -> str:
    """In the order of words, so that of two statements that learn the same, one waits and goes on."""
    return f"""
        INSERT INTO search_words (word)
        SELECT DISTINCT w.word COLLATE "C" FROM unnest(${parameter}::text[]) AS w (word) WHERE {where} ORDER BY 1
        ON CONFLICT DO NOTHING
    """


async def learn(connection: Connection, words: Sequence[str]) -> None:
    if words:
        await connection.execute(learning(1), words)
