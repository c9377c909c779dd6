"""/api/files: upload, bytes, thumbnails; /api/chats/{id}/files: what was shared in a chat."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.di import Provide
from litestar.exceptions import InternalServerException
from litestar.response import Stream

from fechatter.domain.errors import InvalidRequest, NotFound, NotMadeYet, Unauthenticated
from fechatter.domain.messages import File, SharedFile
from fechatter.domain.people import Caller
from fechatter.files import uploads
from fechatter.files.kinds import is_safe_inline, served_as
from fechatter.files.thumbnails import MEDIA_TYPE
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.file_access import provide_reader
from fechatter.server.lists import PAGE, Id, Limit, Offset, OptionalId, listing
from fechatter.server.ranges import Slice, is_same, wanted_slice
from fechatter.store import files
from fechatter.store.chats import chats
from fechatter.store.files import Stored
from fechatter.store.messages import shared_files
from fechatter.store.people import sessions

READER = {"reader": Provide(provide_reader)}
RETRY_AFTER_S = 1
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'"


@post("/files", status_code=201, request_max_body_size=None, summary="Upload a file", tags=["files"])
async def upload(request: ApiRequest, context: Context, caller: Caller, workspace_id: OptionalId = None) -> File:
    """multipart/form-data with a part `file`; `workspace_id` in the query or as a part before or after it.

    The type is told by the content, not by the name. Until a message carries the file it is the uploader's alone, and
    is deleted after a day.
    """
    announced = request.headers.get("content-length", "")
    receiving = uploads.receive(
        _body(request),
        content_type=request.headers.get("content-type", ""),
        announced=int(announced) if announced.isdigit() else None,
        limit=context.settings.limits.file_bytes,
        folder=context.settings.data_dir / "incoming",
    )
    async with receiving as received:
        if None not in (workspace_id, received.workspace_id) and workspace_id != received.workspace_id:
            raise InvalidRequest(fields={"workspace_id": "is given twice, and not the same"})
        target = workspace_id or received.workspace_id
        return await uploads.store(context.db, context.storage, caller, target, received)


@get("/files/{file_id:int}", dependencies=READER, summary="The bytes of a file", tags=["files"])
async def download(request: ApiRequest, context: Context, reader: Caller, file_id: Id) -> Response[Any]:
    """For its uploader and those who can read a message that carries it. Takes single ranges (Range, If-Range)."""
    file = await _readable(context, reader, file_id)
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": _disposition(file),
        "Content-Security-Policy": _POLICY,
    }
    if is_same(etag, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers)
    asked, if_range = request.headers.get("range", ""), request.headers.get("if-range", "")
    part = wanted_slice(file.size, etag, asked, if_range)
    if part is not None:
        headers["Content-Range"] = part.content_range
    sent = part or Slice(0, file.size, file.size)
    media_type = served_as(file.mime_type)
    status = 200 if part is None else 206
    if request.scope["state"]["head_only"] or sent.start == sent.stop:
        headers["Content-Length"] = str(sent.stop - sent.start)
        return Response(b"", status_code=status, headers=headers, media_type=media_type)
    return await _stream(context, file.object_key, sent, headers, media_type, status)


@get("/files/{file_id:int}/thumbnail", dependencies=READER, summary="A small picture of an image", tags=["files"])
async def thumbnail(request: ApiRequest, context: Context, reader: Caller, file_id: Id) -> Response[Any]:
    """WebP, at most 512 pixels wide and high, without what the camera noted. 404 with Retry-After until it is made."""
    file = await _readable(context, reader, file_id)
    if file.thumbnail_key is None:
        raise NotMadeYet(RETRY_AFTER_S) if file.thumbnail_is_due else NotFound
    etag = f'"thumbnail-{file.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": "inline",
        "Content-Security-Policy": _POLICY,
    }
    if is_same(etag, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers)
    content = await context.storage.get(file.thumbnail_key)
    return Response(content, headers=headers, media_type=MEDIA_TYPE)


@get("/chats/{chat_id:int}/files", summary="Files of a chat", tags=["files"])
async def list_shared(
    request: ApiRequest, context: Context, caller: Caller, chat_id: Id, limit: Limit = PAGE, offset: Offset = 0
) -> Response[list[SharedFile]]:
    """Those that its messages carry, newest first, for all who may read the chat."""
    async with context.db.connection() as connection:
        if await chats.standing(connection, caller, chat_id) is None:
            raise NotFound
        found = await shared_files.list_(connection, chat_id, limit=limit + 1, offset=offset)
    return listing(request, found, limit, offset)


async def _readable(context: Context, caller: Caller, file_id: int) -> Stored:
    """The file, if the caller may read it: the lookup is the authorisation."""
    async with context.db.connection() as connection:
        file = await files.readable(connection, caller, file_id)
        if file is None:
            raise NotFound if await sessions.is_live(connection, caller) else Unauthenticated
    return file


async def _stream(
    context: Context, key: str, sent: Slice, headers: dict[str, str], media_type: str, status: int
) -> Response[Any]:
    """The bytes, a piece in memory at a time; the first is read before the answer begins, so that it can still fail."""
    headers["Content-Length"] = str(sent.stop - sent.start)
    pieces = context.storage.read(key, sent.start, sent.stop)
    first = await anext(pieces)
    return Stream(_prepended(first, pieces), status_code=status, headers=headers, media_type=media_type)


async def _prepended(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _body(request: ApiRequest) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException as error:
        raise InvalidRequest("The upload was broken off.") from error


def _disposition(file: Stored) -> str:
    """In place only for types that run nothing; the name for all programs (RFC 6266), with an ASCII stand-in."""
    way = "inline" if is_safe_inline(file.mime_type) else "attachment"
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in file.name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"


ROUTES = [upload, download, thumbnail, list_shared]
