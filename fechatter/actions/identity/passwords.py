"""Passwords: argon2id (RFC 9106) in threads of its own, so that hashing never holds up the event loop.

Passwords.hash     a PHC string
Passwords.verify   whether a password fits, in the same time whether or not there is anything to fit
Passwords.is_outdated   whether a stored hash should be made anew
"""

import asyncio
import os
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from fechatter.domain.errors import Unavailable

_T = TypeVar("_T")
PASSES, MEMORY_KIB, LANES = 3, 64 * 1024, 1
"""RFC 9106's profile for little memory, in one lane instead of four: each lane would be a thread of its own, started 12
times a hash. Who guesses needs as much memory for as many passes, and for as long or longer."""
VERSION = 19
"""Of argon2: 0x13, the one of RFC 9106."""
THREADS = max(1, min(4, (os.cpu_count() or 1) - 1))
"""A core is left to the event loop. It waits even for threads of a lower priority: for the end of a time slice, or for
the GIL while the one that holds it has no core."""
WAITING = 200
"""More than this many at once would wait longer than a person does."""


class Passwords:
    """A small pool: each hash costs about 64 MiB and 70 ms, and releases the GIL.

    hasher    argon2-cffi's, at the cost above unless a test says otherwise
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_give_way)
        self._under_way = 0
        self._nobody = _hash_of_nothing(self._hasher)

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises Unavailable when too many are waiting."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether `password` is the one that `hashed` was made from; False for None, after the same time."""
        return await self._in_thread(lambda: self._fits(password, hashed or self._nobody)) and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether `hashed` was made at another cost than today's."""
        try:
            return self._hasher.check_needs_rehash(hashed)
        except InvalidHashError:
            return False

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fits(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            # What is stored is no hash: take the time of one all the same.
            if hashed != self._nobody:
                self._fits(password, self._nobody)
            return False

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._under_way >= WAITING:
            raise Unavailable("Too many people are signing in at this moment: try again in a few seconds.")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Stands in for the hash of one who does not exist, so that the answer takes as long; no password fits.

    Random bytes instead of a hash: making one would hold up every start of a process for as long as a sign-in takes.
    """
    salt, digest = (b64encode(os.urandom(count)).rstrip(b"=").decode() for count in (hasher.salt_len, hasher.hash_len))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={VERSION}${cost}${salt}${digest}"


def _give_way() -> None:
    """A hash keeps a core busy: requests that are under way come first (Linux has priorities for each thread)."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
