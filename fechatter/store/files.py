"""Files: their rows, who may have them, and what must go.

JSON              a file of alias f as readers see it, in one expression
expect_object     note an object before its first byte is written
insert            the file that the object is
readable          where the bytes are, if the caller may have them: the lookup is the authorisation
discard_object    an object that is not wanted after all
claim_thumbnail, keep_thumbnail, give_up_thumbnail    one image at a time, by any number of workers
sweep             delete what nobody shows any more
due_garbage, forget_garbage    objects to delete, and those that are
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.messages import File
from fechatter.domain.people import Caller
from fechatter.domain.vectors import name_vector
from fechatter.store.database import Connection, Row

JSON = """
    json_build_object(
        'id', f.id, 'name', f.name, 'mime_type', f.mime_type, 'size', f.size, 'sha256', f.sha256,
        'width', f.width, 'height', f.height, 'created_at', f.created_at, 'url', '/api/files/' || f.id,
        'thumbnail_url', CASE WHEN f.thumbnail_key IS NOT NULL OR f.thumbnail_due IS NOT NULL
                              THEN '/api/files/' || f.id || '/thumbnail' END)
"""

# $1 the caller, $2 their session, $3 the file. Its uploader; readers of a message that carries it; those who see the
# uploader, if it is the uploader's avatar. All of them while they are active in its workspace.
_READABLE = """
    FROM files f
    JOIN workspace_members wm ON wm.workspace_id = f.workspace_id AND wm.user_id = $1 AND wm.status = 'Active'
    JOIN sessions s ON s.id = $2 AND s.user_id = $1 AND s.ended_at IS NULL
    JOIN users u ON u.id = $1 AND u.status = 'Active'
    WHERE f.id = $3 AND (
        f.uploader_id = $1
        OR EXISTS (
            SELECT FROM message_files mf
            JOIN messages m ON m.id = mf.message_id AND m.deleted_at IS NULL
            JOIN chats c ON c.id = m.chat_id
            LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
            WHERE mf.file_id = f.id AND (cm.user_id IS NOT NULL OR c.type = 'PublicChannel' AND wm.role <> 'guest')))
    UNION ALL
    SELECT f.*
    FROM files f
    JOIN users owner ON owner.id = f.uploader_id AND owner.avatar = '/api/files/' || f.id
    JOIN sessions s ON s.id = $2 AND s.user_id = $1 AND s.ended_at IS NULL
    JOIN users u ON u.id = $1 AND u.status = 'Active'
    WHERE f.id = $3 AND EXISTS (
        SELECT FROM workspace_members mine
        JOIN workspace_members theirs ON theirs.workspace_id = mine.workspace_id AND theirs.user_id = owner.id
        WHERE mine.user_id = $1 AND mine.status = 'Active'
          AND (mine.role <> 'guest' OR EXISTS (
              SELECT FROM chat_members a JOIN chat_members b ON b.chat_id = a.chat_id AND b.user_id = owner.id
              WHERE a.user_id = $1 AND a.workspace_id = mine.workspace_id)))
    LIMIT 1
"""


class Stored(msgspec.Struct, frozen=True):
    """Where a file's bytes are. `thumbnail_key` None and `thumbnail_is_due`: it will be made."""

    id: int
    name: str
    mime_type: str
    size: int
    sha256: str
    object_key: str
    thumbnail_key: str | None
    thumbnail_is_due: bool


class Claimed(msgspec.Struct, frozen=True):
    """An image whose thumbnail this worker makes; after `tries` times it is given up."""

    id: int
    workspace_id: int
    object_key: str
    size: int
    tries: int


async def expect_object(connection: Connection, key: str) -> None:
    """Note the key: unless insert() takes it back within a day, the object is deleted."""
    await connection.execute("INSERT INTO object_garbage (key, due) VALUES ($1, now() + interval '1 day')", key)


async def insert(
    connection: Connection,
    *,
    workspace_id: int,
    uploader_id: int,
    name: str,
    mime_type: str,
    size: int,
    sha256: str,
    width: int | None,
    height: int | None,
    object_key: str,
    has_thumbnail: bool,
) -> File | None:
    """The file whose object has been written; None if the uploader is not active in the workspace any more."""
    row = await connection.fetchrow(
        f"""
        WITH kept AS (
            DELETE FROM object_garbage g
            USING workspace_members wm
            WHERE g.key = $9 AND wm.workspace_id = $1 AND wm.user_id = $2 AND wm.status = 'Active'
            RETURNING g.key
        ), f AS (
            INSERT INTO files (workspace_id, uploader_id, name, mime_type, size, sha256, width, height, object_key,
                               thumbnail_due, words)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, kept.key, CASE WHEN $10 THEN now() END, $11::text::tsvector
            FROM kept
            RETURNING *
        )
        SELECT {JSON} AS file FROM f
        """,
        workspace_id,
        uploader_id,
        name,
        mime_type,
        size,
        sha256,
        width,
        height,
        object_key,
        has_thumbnail,
        name_vector(name),
    )
    return None if row is None else msgspec.json.decode(row["file"], type=File)


async def readable(connection: Connection, caller: Caller, file_id: int) -> Stored | None:
    """The file, if the caller may have its bytes."""
    row = await connection.fetchrow(
        f"""
        SELECT f.id, f.name, f.mime_type, f.size, f.sha256, f.object_key, f.thumbnail_key, f.thumbnail_due
        FROM (SELECT f.* {_READABLE}) f
        """,
        caller.user_id,
        caller.session_id,
        file_id,
    )
    return None if row is None else _stored(row)


async def discard_object(connection: Connection, key: str) -> None:
    """Have the object deleted with the next sweep, if no file is made of it."""
    await connection.execute("UPDATE object_garbage SET due = now() WHERE key = $1", key)


async def claim_thumbnail(connection: Connection, for_s: float) -> Claimed | None:
    """The next image without a thumbnail; nobody else gets it for `for_s` seconds."""
    row = await connection.fetchrow(
        """
        UPDATE files f SET thumbnail_due = now() + make_interval(secs => $1), thumbnail_tries = thumbnail_tries + 1
        WHERE id = (SELECT id FROM files WHERE thumbnail_due <= now() ORDER BY thumbnail_due
                    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING f.id, f.workspace_id, f.object_key, f.size, f.thumbnail_tries
        """,
        for_s,
    )
    return None if row is None else Claimed(*row.values())


async def keep_thumbnail(connection: Connection, file_id: int, key: str, width: int, height: int) -> bool:
    """The object `key` is the thumbnail of an image that is so large; False if the file is gone or has one."""
    return bool(
        await connection.fetchval(
            """
            WITH f AS (
                UPDATE files SET thumbnail_key = $2, thumbnail_due = NULL, width = $3, height = $4
                WHERE id = $1 AND thumbnail_key IS NULL RETURNING thumbnail_key
            )
            DELETE FROM object_garbage g USING f WHERE g.key = f.thumbnail_key RETURNING true
            """,
            file_id,
            key,
            width,
            height,
        )
    )


async def give_up_thumbnail(connection: Connection, file_id: int) -> None:
    """There will be none."""
    await connection.execute("UPDATE files SET thumbnail_due = NULL WHERE id = $1", file_id)


async def sweep(connection: Connection, limit: int) -> int:
    """Delete up to `limit` files that nobody shows: deleted with what showed them, or never used for a day."""
    deleted = await connection.execute(
        """
        DELETE FROM files WHERE id IN (
            SELECT id FROM files WHERE idle_since < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)
        """,
        limit,
    )
    return int(deleted.rpartition(" ")[2])


async def due_garbage(connection: Connection, limit: int) -> Sequence[str]:
    """Keys of objects to delete."""
    rows = await connection.fetch("SELECT key FROM object_garbage WHERE due <= now() ORDER BY due LIMIT $1", limit)
    return [row["key"] for row in rows]


async def forget_garbage(connection: Connection, keys: Sequence[str]) -> None:
    """Their objects are deleted."""
    await connection.execute("DELETE FROM object_garbage WHERE key = ANY($1::text[])", list(keys))


def from_json(text: str | None) -> list[File]:
    """The files of a message, from json_agg() of JSON."""
    return [] if text is None else msgspec.json.decode(text, type=list[File])


def _stored(row: Row) -> Stored:
    return Stored(
        id=row["id"],
        name=row["name"],
        mime_type=row["mime_type"],
        size=row["size"],
        sha256=row["sha256"],
        object_key=row["object_key"],
        thumbnail_key=row["thumbnail_key"],
        thumbnail_is_due=row["thumbnail_due"] is not None,
    )
