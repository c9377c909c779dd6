"""Taking in messages that have no words yet, or all of them anew.

next_step, advance      which messages come next, and that they are done
progress, exists        how many are done; whether the schema knows of it
texts, write            what they say, and their words
forget                  their words
begin_anew              all of them again
unnamed_files, name_files   the words of names of files
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from fechatter.store.database import Connection, struct_from
from fechatter.store.search.message_words import KEYS, NAMES


class Step(msgspec.Struct, frozen=True):
    """Messages to take in, from `next_id` down to `low`; `anew`: also those that have words."""

    message_ids: Sequence[int]
    next_id: int
    low: int
    anew: bool


class Left(msgspec.Struct, frozen=True):
    """How far it is, in ids: messages at most."""

    done: int
    of: int


class Text(msgspec.Struct, frozen=True):
    """What a message says, and when it was edited last: as long as that is so, these are its words."""

    id: int
    content: str
    edited_at: datetime | None


async def next_step(connection: Connection, at_most: int) -> Step | None:
    """None: all messages are in. The first call settles where to begin: what comes later has its words with it."""
    await connection.execute(
        """
        UPDATE search_backfill SET first_id = n.id, next_id = n.id
        FROM (SELECT coalesce(max(id), 0) AS id FROM messages) n WHERE first_id IS NULL
        """
    )
    row = await connection.fetchrow(
        """
        SELECT b.next_id, b.renewing, coalesce(array_agg(m.id), '{}') AS ids, coalesce(min(m.id), 1) AS low
        FROM search_backfill b
        LEFT JOIN LATERAL (SELECT id FROM messages m WHERE m.id <= b.next_id ORDER BY id DESC LIMIT $1) m ON true
        WHERE b.next_id > 0 GROUP BY 1, 2
        """,
        at_most,
    )
    if row is None:
        return None
    ids = [message_id for message_id in row["ids"] if message_id is not None]
    return Step(ids, next_id=row["next_id"], low=row["low"], anew=row["renewing"])


async def advance(connection: Connection, step: Step) -> None:
    """Unless somebody else has by now, or began anew."""
    await connection.execute(
        """
        UPDATE search_backfill SET next_id = $2::bigint, renewing = renewing AND $2 > 0
        WHERE next_id = $1 AND renewing = $3
        """,
        step.next_id,
        step.low - 1,
        step.anew,
    )


async def progress(connection: Connection) -> Left | None:
    """None: all are in."""
    row = await connection.fetchrow(
        """
        SELECT coalesce(first_id - next_id, 0) AS done, coalesce(first_id, (SELECT max(id) FROM messages), 0) AS of
        FROM search_backfill WHERE next_id IS NULL OR next_id > 0
        """
    )
    return None if row is None else Left(row["done"], row["of"])


async def exists(connection: Connection) -> bool:
    return await connection.fetchval("SELECT to_regclass('search_backfill') IS NOT NULL")


async def texts(connection: Connection, message_ids: Sequence[int], *, anew: bool) -> list[Text]:
    """Of those that are not deleted and, unless `anew`, have no words yet."""
    rows = await connection.fetch(
        """
        SELECT m.id, m.content, m.edited_at FROM messages m
        WHERE m.id = ANY($1::bigint[]) AND m.deleted_at IS NULL
          AND ($2 OR NOT EXISTS (SELECT FROM message_words w WHERE w.message_id = m.id))
        """,
        message_ids,
        anew,
    )
    return [struct_from(row, Text) for row in rows]


async def write(connection: Connection, texts: Sequence[Text], vectors: Sequence[str]) -> None:
    """Whose text has changed since it was read is left out: that change has brought its words."""
    await connection.execute(
        f"""
        WITH m AS MATERIALIZED (
            SELECT m.*, t.vector FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS t (id, edited_at, vector)
            JOIN messages m ON m.id = t.id AND m.deleted_at IS NULL AND m.edited_at IS NOT DISTINCT FROM t.edited_at
            ORDER BY m.id FOR SHARE OF m
        )
        INSERT INTO message_words (message_id, workspace_id, chat_id, sender_id, sent_at, words)
        SELECT m.id, m.workspace_id, m.chat_id, m.sender_id, m.created_at, m.vector::tsvector || {NAMES} || {KEYS}
        FROM m
        ON CONFLICT (message_id) DO UPDATE SET words = EXCLUDED.words
        """,
        [text.id for text in texts],
        [text.edited_at for text in texts],
        vectors,
    )


async def forget(connection: Connection, message_ids: Sequence[int]) -> None:
    await connection.execute("DELETE FROM message_words WHERE message_id = ANY($1::bigint[])", message_ids)


async def begin_anew(connection: Connection) -> None:
    """Goes on with a rebuilding that was cut off."""
    await connection.execute(
        """
        UPDATE search_backfill SET renewing = true, first_id = n.id, next_id = n.id
        FROM (SELECT coalesce(max(id), 0) AS id FROM messages) n WHERE NOT (renewing AND next_id > 0)
        """
    )


async def unnamed_files(connection: Connection, at_most: int) -> Mapping[int, str]:
    rows = await connection.fetch("SELECT id, name FROM files WHERE words IS NULL LIMIT $1", at_most)
    return {row["id"]: row["name"] for row in rows}


async def name_files(connection: Connection, vectors: Mapping[int, str]) -> None:
    await connection.execute(
        """
        UPDATE files f SET words = n.words::tsvector FROM unnest($1::bigint[], $2::text[]) AS n (id, words)
        WHERE f.id = n.id
        """,
        list(vectors),
        list(vectors.values()),
    )
