"""The chat lists of the last half minute, encoded as they went out (RFC §8.1).

SidebarCache.get   the page that went out, with its stamp
SidebarCache.put   remember it

A list is never served on the cache's word: the one statement of the list compares the stamp with the chats as they
are, and also looks at the session. So no list is ever stale, whichever server made the change, and there is nothing to
invalidate. What is saved is reading, building and encoding a long list that has not changed.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

TTL_S = 30.0
MOST_BYTES = 32 * 1024 * 1024

Key = tuple[int, int | None, int, int]
"""User, workspace, limit and offset."""


class Entry(msgspec.Struct, frozen=True):
    """`body`: the JSON array; `more`: whether another page follows; `expires`: on the cache's clock, in seconds."""

    stamp: str
    body: bytes
    more: bool
    expires: float


class SidebarCache:
    """
    _entries   by what was asked, the one put first first
    _size      bytes of all bodies
    """

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def get(self, key: Key) -> Entry | None:
        """The entry, unless it is older than TTL_S."""
        self._forget_expired()
        return self._entries.get(key)

    def put(self, key: Key, stamp: str, body: bytes, *, more: bool) -> Entry:
        """Remember a page and return it. One that would take more than a quarter of the room is not kept."""
        self._drop(key)
        entry = Entry(stamp, body, more, self._clock() + TTL_S)
        if len(body) * 4 <= self._most_bytes:
            self._entries[key] = entry
            self._size += len(body)
        self._forget_expired()
        while self._size > self._most_bytes:
            self._drop(next(iter(self._entries)))
        return entry

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._entries and next(iter(self._entries.values())).expires <= now:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= len(entry.body)
