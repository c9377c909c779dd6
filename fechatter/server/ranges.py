"""Ranges and validators of HTTP (RFC 9110): which bytes of a file to send, or none.

Slice         a stretch of the file
wanted_slice  what the Range and If-Range headers ask for
is_same       whether If-None-Match names what the caller has
"""

import re

import msgspec

from fechatter.domain.errors import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*")


class Slice(msgspec.Struct, frozen=True):
    """From `start` up to `stop` of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def wanted_slice(size: int, etag: str, range_: str, if_range: str) -> Slice | None:
    """The single range that is asked for; None: send all, as for what is no range, or several, or of another version.

    Raises RangeNotSatisfiable for one that lies beyond the end.
    """
    match = _ONE_RANGE.fullmatch(range_)
    if match is None or (if_range and if_range.strip() != etag):
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise RangeNotSatisfiable(size)
    return Slice(start, stop, size)


def is_same(etag: str, if_none_match: str) -> bool:
    """Compares weakly, as for If-None-Match one must."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag in known
