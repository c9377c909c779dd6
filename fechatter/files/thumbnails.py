"""Thumbnails: made one at a time, each by a process of its own that a hostile image may ruin.

make_due    make all that are due; any number of workers may run it at once
render      one image → its thumbnail, or CannotRender
"""

import asyncio
import contextlib
import struct
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from fechatter import logs
from fechatter.domain.errors import DomainError, NotFound
from fechatter.files.storage import Storage, new_key
from fechatter.store import files
from fechatter.store.database import Database
from fechatter.store.files import Claimed

MEDIA_TYPE = "image/webp"
PATIENCE_S = 30.0
MOST_SOURCE_BYTES = 64 * 1024 * 1024
MOST_BYTES = 2 * 1024 * 1024
_TRIES = 3
_PROGRAM = Path(__file__).with_name("render.py")

log = logs.get(__name__)


class CannotRender(Exception):
    """The image is none, too large, or took too long. Its text is for the log."""


class Thumbnail(msgspec.Struct, frozen=True):
    """A WebP, and the size of the image that it shows."""

    content: bytes
    width: int
    height: int


async def make_due(db: Database, storage: Storage) -> int:
    """Make the thumbnails that are due, and return how many. An image that cannot be shown is reported and left."""
    made = 0
    while True:
        async with db.connection() as connection:
            image = await files.claim_thumbnail(connection, PATIENCE_S * 2)
        if image is None:
            return made
        made += await _make(db, storage, image)


async def render(source: BinaryIO, patience_s: float = PATIENCE_S) -> Thumbnail:
    """Have the image made small. Raises CannotRender; the process is gone when this returns."""
    source.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROGRAM),
        stdin=source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(patience_s):
            return await _answer(process)
    except TimeoutError as error:
        raise CannotRender(f"took longer than {patience_s:.0f} s") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _make(db: Database, storage: Storage, image: Claimed) -> bool:
    try:
        thumbnail = await _rendered(storage, image)
        await _keep(db, storage, image, thumbnail)
    except CannotRender as error:
        log.warning("thumbnail.impossible", file_id=image.id, reason=str(error))
    except NotFound:
        log.warning("thumbnail.impossible", file_id=image.id, reason="its bytes are not there")
    except DomainError as error:
        log.warning("thumbnail.failed", file_id=image.id, reason=error.detail, tries=image.tries)
        if image.tries < _TRIES:
            return False  # the claim runs out, and it is tried again
    else:
        return True
    async with db.connection() as connection:
        await files.give_up_thumbnail(connection, image.id)
    return False


async def _rendered(storage: Storage, image: Claimed) -> Thumbnail:
    if image.size > MOST_SOURCE_BYTES:
        raise CannotRender(f"has more than {MOST_SOURCE_BYTES} bytes")
    if image.tries > _TRIES:
        raise CannotRender("ended its worker more than once")
    with tempfile.TemporaryFile() as source:
        async for piece in storage.read(image.object_key, 0, image.size):
            await asyncio.to_thread(source.write, piece)
        await asyncio.to_thread(source.flush)
        return await render(source)


async def _keep(db: Database, storage: Storage, image: Claimed, thumbnail: Thumbnail) -> None:
    key = new_key(image.workspace_id)
    async with db.connection() as connection:
        await files.expect_object(connection, key)
    with tempfile.TemporaryFile() as content:
        content.write(thumbnail.content)
        await storage.put(key, content)
    async with db.connection() as connection:
        if not await files.keep_thumbnail(connection, image.id, key, thumbnail.width, thumbnail.height):
            await files.discard_object(connection, key)


async def _answer(process: asyncio.subprocess.Process) -> Thumbnail:
    assert process.stdout is not None
    assert process.stderr is not None
    answer, complaint = await asyncio.gather(_read_up_to(process.stdout, MOST_BYTES), _read_up_to(process.stderr, 8192))
    code = await process.wait()
    if code != 0 or len(answer) <= 8:
        reason = complaint.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise CannotRender(f"the program ended with {code}: {reason}")
    width, height = struct.unpack(">II", answer[:8])
    return Thumbnail(answer[8:], width, height)


async def _read_up_to(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of the stream; what comes beyond `most` bytes ends it all."""
    content = bytearray()
    while piece := await stream.read(64 * 1024):
        content += piece
        if len(content) > most:
            raise CannotRender(f"gave more than {most} bytes")
    return bytes(content)
