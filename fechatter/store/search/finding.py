"""Searching the words of messages.

newest_id       where the newest messages are
count_in        how many messages some chats have had
hits            messages of a stretch of ids, each with its score
beginning_with  words that there are, that begin so
spelled_like    words that there are, of some that there could be
similar         words that there are, that look like one
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fechatter.domain.search import Hit
from fechatter.store.database import Connection

# $1 what must be in `words`: the query, with the filters that the index knows. The index leads to rows in the order of
# the table, so all that it finds between the two ids is read: the caller chooses a stretch that is not too long.
# What is wanted only of the rows found is asked by the operator's function, which no index answers.
# Adding 0 keeps the planner from the primary key, which would lead it through all messages for a rare word.
# Whole words and words of the text count for more than beginnings and single characters (ts_rank, the weights D to A),
# a word more in a short text; what is fresh comes before what is old.
_HITS = """
WITH found AS MATERIALIZED (
    SELECT w.message_id, w.sent_at, w.words FROM message_words w
    WHERE w.words @@ $1::text::tsquery AND w.chat_id = ANY($2::bigint[])
      AND w.message_id + 0 > $3 AND w.message_id + 0 <= $4
      AND ($10::text IS NULL OR ts_match_vq(w.words, $10::text::tsquery))
      AND ($5::timestamptz IS NULL OR w.sent_at >= $5) AND ($6::timestamptz IS NULL OR w.sent_at < $6)
    ORDER BY w.message_id + 0 DESC LIMIT $7
)
SELECT message_id,
       ts_rank('{0.1, 0.3, 0.5, 1.0}', words, $8::text::tsquery, 1)
       + CASE WHEN words @@ $9::text::tsquery THEN 0.5 ELSE 0 END
       + 0.5 / (1 + greatest(extract(epoch FROM date_trunc('day', now()) - sent_at), 0) / 15552000) AS score,
       count(*) OVER () AS total
FROM found ORDER BY score DESC, message_id DESC LIMIT $11
"""
_SIMILAR = """
SELECT word FROM search_words WHERE word % $1 AND length(word) BETWEEN $2 AND $3
ORDER BY similarity(word, $1) DESC LIMIT $4
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Queries as PostgreSQL reads a tsquery.

    keys        what the index is asked for
    condition   what of that is a hit; None: all
    words       what hits are ranked by
    whole       the same with whole words only
    """

    keys: str
    condition: str | None
    words: str
    whole: str
    chats: Sequence[int]
    after: datetime | None
    before: datetime | None


async def newest_id(connection: Connection) -> int:
    return await connection.fetchval("SELECT coalesce(max(message_id), 0) FROM message_words")


async def count_in(connection: Connection, chats: Sequence[int]) -> int:
    return await connection.fetchval(
        "SELECT coalesce(sum(last_seq), 0)::bigint FROM chats WHERE id = ANY($1::bigint[])", chats
    )


async def hits(
    connection: Connection, wanted: Wanted, low: int, high: int, *, newest: int, best: int
) -> tuple[list[Hit], int]:
    """Of the `newest` above `low` and up to `high` the `best`, in order; and how many of the `newest` there are."""
    rows = await connection.fetch(
        _HITS,
        wanted.keys,
        wanted.chats,
        low,
        high,
        wanted.after,
        wanted.before,
        newest,
        wanted.words,
        wanted.whole,
        wanted.condition,
        best,
    )
    return [Hit(row["message_id"], row["score"]) for row in rows], rows[0]["total"] if rows else 0


async def beginning_with(connection: Connection, prefix: str, at_most: int) -> list[str]:
    """`prefix`: letters and digits. The prefix itself is not among them."""
    rows = await connection.fetch(
        "SELECT word FROM search_words WHERE word > $1 AND word < $1 || '{' LIMIT $2", prefix, at_most
    )
    return [row["word"] for row in rows]


async def spelled_like(connection: Connection, words: Sequence[str]) -> list[str]:
    rows = await connection.fetch("SELECT word FROM search_words WHERE word = ANY($1::text[])", words)
    return [row["word"] for row in rows]


async def similar(connection: Connection, word: str, lengths: tuple[int, int], at_most: int) -> list[str]:
    """By pairs of three letters, the most similar first."""
    rows = await connection.fetch(_SIMILAR, word, *lengths, at_most)
    return [row["word"] for row in rows]
