"""Uploads: a multipart body, read piece by piece into a file without a name, then stored as a whole.

receive   the body → what was sent; nothing is left of it when it ends badly, be it by a power cut
store     what was sent → a file of the workspace
"""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from pathlib import Path
from typing import IO, BinaryIO, cast

import msgspec
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from fechatter.domain.errors import InvalidRequest, NotFound, TooLarge, Unavailable, UnsupportedMediaType
from fechatter.domain.ids import MAX_ID
from fechatter.domain.messages import File
from fechatter.domain.people import Caller, Workspace
from fechatter.files.kinds import Kind, has_thumbnail, kind_of
from fechatter.files.names import safe_name
from fechatter.files.storage import Storage, new_key
from fechatter.store import files
from fechatter.store.database import Connection, Database
from fechatter.store.workspaces import workspaces

_OVERHEAD = 64 * 1024
"""Bytes of a body that are not the file: boundaries, headers, other fields."""
_WRITE = 256 * 1024
_FIELD_BYTES = 32
_ID = re.compile(rb"[1-9][0-9]{0,18}")


class Upload(msgspec.Struct, frozen=True):
    """A file that has come in whole. `spool` holds its bytes until the upload is closed."""

    spool: BinaryIO
    name: str
    size: int
    sha256: str
    kind: Kind
    workspace_id: int | None


@asynccontextmanager
async def receive(
    body: AsyncIterator[bytes], *, content_type: str, announced: int | None, limit: int, folder: Path
) -> AsyncGenerator[Upload]:
    """Read a multipart body with one part `file` of up to `limit` bytes, and perhaps a field `workspace_id`.

    At most 256 KiB of it are in memory. Raises UnsupportedMediaType, TooLarge, InvalidRequest; Unavailable when
    the disk has no room for it.
    """
    boundary = _boundary(content_type)
    if announced is not None and announced > limit + _OVERHEAD:
        raise _too_large(limit)
    try:
        with await asyncio.to_thread(_open_spool, folder) as spool:
            form = _Form(boundary, cast("BinaryIO", spool), limit)
            async for chunk in body:
                await form.take(chunk)
            yield await form.finish()
    except OSError as error:
        # Also of closing it, which tries once more to write what did not fit.
        raise Unavailable("The files' storage is full or away: try again in a moment.") from error


async def store(db: Database, storage: Storage, caller: Caller, workspace_id: int | None, upload: Upload) -> File:
    """Keep the upload as a file of the workspace, or of the caller's first one. Raises NotFound, Unavailable."""
    async with db.connection() as connection:
        workspace = await _workspace(connection, caller, workspace_id)
        key = new_key(workspace.id)
        await files.expect_object(connection, key)
    file = None
    try:
        await storage.put(key, upload.spool)
        file = await _insert(db, caller, workspace.id, key, upload)
    finally:
        if file is None:
            async with db.connection() as connection:
                await files.discard_object(connection, key)
    if file is None:
        raise NotFound("You are in no such workspace.")
    return file


async def _insert(db: Database, caller: Caller, workspace_id: int, key: str, upload: Upload) -> File | None:
    async with db.connection() as connection:
        return await files.insert(
            connection,
            workspace_id=workspace_id,
            uploader_id=caller.user_id,
            name=upload.name,
            mime_type=upload.kind.mime_type,
            size=upload.size,
            sha256=upload.sha256,
            width=upload.kind.width,
            height=upload.kind.height,
            object_key=key,
            has_thumbnail=has_thumbnail(upload.kind),
        )


async def _workspace(connection: Connection, caller: Caller, workspace_id: int | None) -> Workspace:
    if workspace_id is not None:
        workspace = await workspaces.get_for(connection, caller.user_id, workspace_id)
    else:
        workspace = next(iter(await workspaces.of_user(connection, caller.user_id)), None)
    if workspace is None:
        raise NotFound("You are in no such workspace.")
    return workspace


class _Form:
    """The parts of the body.

    size, sha256   of the file's bytes so far
    _buffer        bytes of the file that are not in the spool yet
    _part          the part that is being read; None between parts
    """

    def __init__(self, boundary: str, spool: BinaryIO, limit: int) -> None:
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=8, strict=True)
        except (MultipartError, ValueError) as error:
            raise InvalidRequest("The Content-Type names no usable boundary.") from error
        self._spool, self._limit = spool, limit
        self._sha256 = hashlib.sha256()
        self._buffer = bytearray()
        self._read = self._size = 0
        self._name: str | None = None
        self._workspace_id: bytes | None = None
        self._part: MultipartSegment | None = None

    async def take(self, chunk: bytes) -> None:
        """The next piece of the body."""
        self._read += len(chunk)
        if self._read > self._limit + _OVERHEAD:
            raise _too_large(self._limit)
        if not chunk:
            return
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event:
                    self._add(event)
        except MultipartError as error:
            raise _broken(error) from error
        if len(self._buffer) >= _WRITE:
            await self._flush()

    async def finish(self) -> Upload:
        """The body has ended: what it was."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise _broken(error) from error
        if self._name is None:
            raise InvalidRequest(fields={"file": "is required: a part of that name with the file's bytes"})
        await self._flush()
        kind = await asyncio.to_thread(kind_of, self._spool)
        return Upload(
            spool=self._spool,
            name=safe_name(self._name),
            size=self._size,
            sha256=self._sha256.hexdigest(),
            kind=kind,
            workspace_id=_id_of(self._workspace_id),
        )

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        if part.name == "file" and self._name is None:
            self._name = part.filename or ""
        elif part.name == "workspace_id" and self._workspace_id is None:
            self._workspace_id = b""
        else:
            known = part.name in ("file", "workspace_id")
            field = part.name[:64] if part.name and part.name.isprintable() else "body"
            raise InvalidRequest(fields={field: "may be given once" if known else "is not a field of this request"})

    def _add(self, content: bytes | bytearray) -> None:
        if self._part is not None and self._part.name == "workspace_id":
            self._workspace_id = (self._workspace_id or b"") + content
            if len(self._workspace_id) > _FIELD_BYTES:
                raise InvalidRequest(fields={"workspace_id": "must be an id"})
            return
        self._size += len(content)
        if self._size > self._limit:
            raise _too_large(self._limit)
        self._buffer += content

    async def _flush(self) -> None:
        """Hashing and writing release the event loop."""
        if self._buffer:
            content, self._buffer = self._buffer, bytearray()
            await asyncio.to_thread(self._write, content)

    def _write(self, content: bytearray) -> None:
        self._sha256.update(content)
        self._spool.write(content)


def _boundary(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/form-data":
        raise UnsupportedMediaType("Send the file as multipart/form-data, in a part named file.")
    boundary = header.get_param("boundary")
    return boundary if isinstance(boundary, str) else ""


def _open_spool(folder: Path) -> IO[bytes]:
    """A file without a name: the system takes it back with the process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _id_of(text: bytes | None) -> int | None:
    if text is None:
        return None
    if not _ID.fullmatch(text) or int(text) > MAX_ID:
        raise InvalidRequest(fields={"workspace_id": "must be an id"})
    return int(text)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The file is larger than {limit:,} bytes.")


def _broken(error: MultipartError) -> InvalidRequest | TooLarge:
    if isinstance(error, ParserLimitReached):
        return TooLarge("The form has too many parts or headers that are too long.")
    return InvalidRequest("The body is not a complete multipart form.")
