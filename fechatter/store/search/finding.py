"""Searching the words of messages.

extent          where the newest messages are, and how many some chats have had
hits            messages of a stretch of ids, each with its score
beginning_with  words that there are, that begin so
spelled_like    words that there are, of some that there could be
similar         words that there are, that look like one
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from fechatter.domain.search import Hit
from fechatter.store.database import Connection

# $11 on: what must be in `words`. Each is a condition of its own: PostgreSQL then goes from hit to hit of all of
# them; of one that names blocks or chats beside words it would read all messages of those.
# The index leads to rows in the order of the table, so all that it finds between the two ids is read: the caller
# chooses a stretch that is not too long. What is wanted only of the rows found is asked by the operator's function,
# which no index answers. Adding 0 keeps the planner from the primary key, which would lead it through all messages for
# a rare word. Parameters are of type tsquery: text would be parsed for each row.
# Whole words and words of the text count for more than beginnings and single characters (ts_rank, the weights D to A),
# a word more in a short text; what is fresh comes before what is old.
_HITS = """
WITH found AS MATERIALIZED (
    SELECT w.message_id + 0 AS message_id,
           ts_rank('{{0.1, 0.3, 0.5, 1.0}}', w.words, $7::tsquery, 1)
           + CASE WHEN $8::tsquery IS NULL OR ts_match_vq(w.words, $8::tsquery) THEN 0.5::real ELSE 0::real END
           + 0.5::float8 / (1 + greatest(date_part('epoch', date_trunc('day', now()) - w.sent_at), 0) / 15552000)
           AS score
    FROM {rows} AND w.chat_id = ANY($1::bigint[])
      AND w.message_id + 0 > $2 AND w.message_id + 0 <= $3
      AND ($9::tsquery IS NULL OR ts_match_vq(w.words, $9::tsquery))
      AND ($4::timestamptz IS NULL OR w.sent_at >= $4) AND ($5::timestamptz IS NULL OR w.sent_at < $5)
    ORDER BY w.message_id + 0 DESC LIMIT $6
)
SELECT message_id, score, (SELECT count(*) FROM found) AS total
FROM found ORDER BY score DESC, message_id DESC LIMIT $10
"""
_WITH_KEYS = "message_words w WHERE {keys}"
# One look into the index for each chat. Asked for all at once, PostgreSQL expects many rows and starts helpers for
# them, which takes longer than to read them; OFFSET 0 keeps it from asking all rows for each of the chats.
_IN_CHATS = """
    unnest($11::tsquery[]) AS x (chat)
    CROSS JOIN LATERAL (SELECT m.* FROM message_words m WHERE m.words @@ x.chat OFFSET 0) w WHERE true
"""
_SIMILAR = """
SELECT word FROM search_words WHERE word % $1 AND length(word) BETWEEN $2 AND $3
ORDER BY similarity(word, $1) DESC LIMIT $4
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Queries as PostgreSQL reads a tsquery.

    keys        what the index is asked for: all of these
    in_chats    instead of them, for each of the chats: one of these
    condition   what of that is a hit; None: all
    words       what hits are ranked by
    whole       the same with whole words only; None: no other words count anyhow
    """

    keys: Sequence[str]
    in_chats: Sequence[str] | None
    condition: str | None
    words: str
    whole: str | None
    chats: Sequence[int]
    after: datetime | None
    before: datetime | None


async def extent(connection: Connection, chats: Sequence[int]) -> tuple[int, int]:
    """The newest message's id, and how many messages these chats have had."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT coalesce(max(message_id), 0) FROM message_words) AS newest,
               (SELECT coalesce(sum(last_seq), 0)::bigint FROM chats WHERE id = ANY($1::bigint[])) AS said
        """,
        chats,
    )
    assert row is not None
    return row["newest"], row["said"]


async def hits(
    connection: Connection, wanted: Wanted, low: int, high: int, *, newest: int, best: int
) -> tuple[list[Hit], int]:
    """Of the `newest` above `low` and up to `high` the `best`, in order; and how many of the `newest` there are."""
    if wanted.in_chats is None:
        asked = " AND ".join(f"w.words @@ ${n}::tsquery" for n in range(11, 11 + len(wanted.keys)))
        rows, keys = _WITH_KEYS.format(keys=asked), wanted.keys
    else:
        rows, keys = _IN_CHATS, [wanted.in_chats]
    found = await connection.fetch(
        _HITS.format(rows=rows),
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
        *keys,
    )
    return [Hit(row["message_id"], row["score"]) for row in found], found[0]["total"] if found else 0


async def beginning_with(connection: Connection, prefix: str, at_most: int) -> list[str]:
    """`prefix`: letters and digits. The prefix itself is not among them."""
    rows = await connection.fetch(
        "SELECT word FROM search_words WHERE word > $1 AND word < $1 || '{' LIMIT $2", prefix, at_most
    )
    return [row["word"] for row in rows]


async def spelled_like(connection: Connection, words: Iterable[str]) -> list[str]:
    """`words`: hundreds, of letters, so they go as one text: as an array, the driver takes a millisecond for them."""
    rows = await connection.fetch(
        "SELECT word FROM search_words WHERE word = ANY(string_to_array($1, ' '))", " ".join(words)
    )
    return [row["word"] for row in rows]


async def similar(connection: Connection, word: str, lengths: tuple[int, int], at_most: int) -> list[str]:
    """By pairs of three letters, the most similar first."""
    rows = await connection.fetch(_SIMILAR, word, *lengths, at_most)
    return [row["word"] for row in rows]
