"""A chat history from elsewhere, as JSON lines: `{"room", "author", "sent_at", "text"}`.

Reader.read       one line → Remark, or BadLine that says why not
Remark            who said what, where and when
Remark.key        names what the line says: two equal lines have the same
address_of        the mail address of an author, who cannot sign in
Refusal           a good line that has no place here, and why
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.text import check_name, check_text, fold

_PLAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_NOT_PLAIN = re.compile(r"[^a-z0-9_-]+")
_LOCAL_CHARS = 40
_REMEMBERED = 16_384


class BadLine(Exception):
    """A line that cannot become a message. Its text is the reason."""


class Remark(msgspec.Struct, frozen=True):
    """A good line.

    room, author           names, trimmed
    room_key, author_key   their case foldings: rooms that fold alike are one channel, authors one person
    sent_at                UTC
    """

    room: str
    author: str
    sent_at: datetime
    text: str
    room_key: str
    author_key: str

    @property
    def key(self) -> str:
        """An idempotency key made from room, author, time and text."""
        said = msgspec.json.encode((self.room_key, self.author_key, self.sent_at, self.text))
        digest = hashlib.blake2b(said, digest_size=18).digest()
        return f"load-{base64.urlsafe_b64encode(digest).decode()}"


class Refusal(msgspec.Struct, frozen=True):
    remark: Remark
    reason: str


class Reader:
    """Reads lines within the limits of names (`name_chars`, `fullname_chars`) and texts (`content_chars`)."""

    def __init__(self, *, name_chars: int, fullname_chars: int, content_chars: int) -> None:
        self._content_chars = content_chars
        # A history names the same few rooms and people again and again.
        self._named = lru_cache(_REMEMBERED)(_named)
        self._name_chars = name_chars
        self._fullname_chars = fullname_chars

    def read(self, line: bytes) -> Remark:
        """Raises BadLine. Fields besides the four are ignored."""
        said = _decode(line)
        try:
            room, room_key = self._named("room", said.room, self._name_chars)
            author, author_key = self._named("author", said.author, self._fullname_chars)
            text = check_text("text", said.text, 1, self._content_chars)
        except InvalidRequest as error:
            raise BadLine(" ".join(f"{field} {problem}" for field, problem in error.fields.items())) from error
        return Remark(room, author, _utc(said.sent_at), text, room_key, author_key)


def address_of(author_key: str, workspace_id: int) -> str:
    """The same author of the same workspace has the same address, and no two share one.

    `.invalid` takes no mail (RFC 2606). What cannot stand in an address is left out, and a digest added.
    """
    local = author_key
    if len(local) > _LOCAL_CHARS or not _PLAIN.fullmatch(local):
        digest = hashlib.blake2b(author_key.encode(), digest_size=9).hexdigest()
        local = f"{_NOT_PLAIN.sub('', author_key)[:_LOCAL_CHARS]}~{digest}"
    return f"{local}@w{workspace_id}.loaded.invalid"


class _Line(msgspec.Struct):
    room: str
    author: str
    sent_at: datetime
    text: str


_DECODER = msgspec.json.Decoder(_Line)


def _decode(line: bytes) -> _Line:
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise BadLine(_in_words(str(error))) from error
    except UnicodeDecodeError as error:
        raise BadLine("is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadLine(_why_not_json(line, error)) from error


def _in_words(problem: str) -> str:
    """msgspec's `Expected `str`, got `int` - at `$.room`` as `room: expected str, got int`."""
    said, _, place = problem.replace("`", "").partition(" - at $")
    said = said[:1].lower() + said[1:]
    return f"{place.strip('.')}: {said}" if place.strip(".") else said


def _why_not_json(line: bytes, error: Exception) -> str:
    """A half of a surrogate pair is good JSON, but no character."""
    try:
        json.loads(line.decode())  # of bytes it would guess the encoding, and pass over a byte order mark
    except (ValueError, RecursionError):
        return f"is not JSON: {error}"
    return "must not contain lone surrogates"


def _named(field: str, text: str, at_most: int) -> tuple[str, str]:
    name = check_name(field, text, at_most)
    key = fold(name)
    if not key:
        raise InvalidRequest(fields={field: "must have visible characters"})
    return name, key


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadLine("sent_at: has no time zone: end it with Z or an offset")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise BadLine("sent_at: is out of range") from error
