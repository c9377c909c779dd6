"""Where the bytes are: a folder, or a bucket of an S3 server, behind one small interface (obstore).

open_storage      by the settings
Storage.put       a whole object, durable when it returns
Storage.read      a stretch of an object, piece by piece; get: a small one
Storage.delete    objects, whether they are there or not
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from fechatter.config import Settings
from fechatter.domain.errors import NotFound, OperatorError, Unavailable

PIECE = 1024 * 1024
"""Bytes in memory for each download under way. A piece is a request of its own, so a slow reader holds none open."""
_PART = 5 * 1024 * 1024
_PARTS_AT_ONCE = 2
_CONNECT = timedelta(seconds=5)
_ANSWER = timedelta(seconds=60)


def open_storage(settings: Settings) -> "Storage":
    """The storage of the settings. Raises OperatorError for an address that is none; asks no server yet."""
    files = settings.files
    if not files.url:
        folder = settings.data_dir / "files"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Storage(LocalStore(folder), folder)
    parts = urlsplit(files.url)
    if parts.scheme != "s3" or not parts.netloc:
        raise OperatorError("files.url must be s3://bucket or s3://bucket/prefix, or empty for the data folder.")
    given = {
        "endpoint": files.endpoint,
        "region": files.region or ("us-east-1" if files.endpoint else ""),
        "access_key_id": files.access_key_id,
        "secret_access_key": files.secret_access_key,
    }
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config={key: value for key, value in given.items() if value},  # pyright: ignore[reportArgumentType]
        client_options={
            "allow_http": files.endpoint.startswith("http://"),
            "connect_timeout": _CONNECT,
            "timeout": _ANSWER,
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )
    return Storage(store, None)


def new_key(workspace_id: int) -> str:
    """A name for an object that no one can guess and no other object has."""
    token = secrets.token_hex(16)
    return f"{workspace_id}/{token[:2]}/{token}"


class Storage:
    """Objects by key.

    folder   of the local disk, when it is one; else None
    """

    def __init__(self, store: LocalStore | S3Store, folder: Path | None) -> None:
        self._store = store
        self.folder = folder

    async def put(self, key: str, file: BinaryIO) -> None:
        """Store what `file` holds, all or nothing. Raises Unavailable. Two parts of 5 MiB are in memory at most."""
        file.seek(0)
        try:
            await obstore.put_async(self._store, key, file, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
        except (BaseError, OSError) as error:
            raise Unavailable("The files' storage is away: try again in a moment.") from error
        if self.folder is not None:
            await asyncio.to_thread(_force_to_disk, self.folder, key)

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `stop`, in pieces. Raises NotFound or Unavailable."""
        while start < stop:
            end = min(start + PIECE, stop)
            try:
                piece = bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
            except FileNotFoundError as error:
                raise NotFound from error
            except (BaseError, OSError) as error:
                raise Unavailable("The files' storage is away: try again in a moment.") from error
            if not piece:
                raise Unavailable("The file is shorter than it was.")
            yield piece
            start += len(piece)

    async def get(self, key: str) -> bytes:
        """A small object, whole. Raises NotFound or Unavailable."""
        try:
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
        except FileNotFoundError as error:
            raise NotFound from error
        except (BaseError, OSError) as error:
            raise Unavailable("The files' storage is away: try again in a moment.") from error

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there are deleted already. Raises Unavailable."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise Unavailable("The files' storage is away: try again in a moment.") from error


def _force_to_disk(folder: Path, key: str) -> None:
    """The file and the names that lead to it survive a power cut: rename alone does not promise that."""
    path = folder / key
    for each in (path, *path.parents):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if each == folder:
            return
