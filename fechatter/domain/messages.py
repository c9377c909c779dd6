"""Messages, and the draft that becomes one."""

import hashlib
import re
from datetime import datetime

import msgspec

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.ids import RowId
from fechatter.domain.text import check_text

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded file as its readers see it. `size` in bytes, `sha256` in hex."""

    id: int
    name: str
    mime_type: str
    size: int
    sha256: str
    url: str
    created_at: datetime
    width: int | None = None
    height: int | None = None
    thumbnail_url: str | None = None


class SharedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a chat's list of files shows it: with the message that carries it."""

    file: File
    message_id: int
    sender_id: int
    sent_at: datetime


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What was said. A deleted message stays as a tombstone: empty content, `deleted_at` set."""

    id: int
    chat_id: int
    seq: int
    sender_id: int
    content: str
    files: list[File]
    reply_to: int | None
    mentions: list[int]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    idempotency_key: str | None


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sender wants to say. With the same `idempotency_key`, sending it again is safe."""

    content: str
    files: list[RowId] = []
    reply_to: RowId | None = None
    idempotency_key: str | None = None

    def check(self, content_chars: int, files_per_message: int) -> None:
        """Raise InvalidRequest unless the draft keeps the limits; content may be empty with files."""
        check_text("content", self.content, 0 if self.files else 1, content_chars)
        if len(self.files) > files_per_message or len(set(self.files)) != len(self.files):
            raise InvalidRequest(fields={"files": f"may name at most {files_per_message} files, each once"})
        if self.idempotency_key is not None and not _KEY.fullmatch(self.idempotency_key):
            raise InvalidRequest(fields={"idempotency_key": "must be 1 to 64 characters of A-Z a-z 0-9 _ -"})

    def digest(self, chat_id: int) -> bytes:
        """16 bytes that name what this draft says in `chat_id`: a retry has the same."""
        said = msgspec.json.encode((chat_id, self.content, self.files, self.reply_to))
        return hashlib.blake2b(said, digest_size=16).digest()
