"""Two searches: the one that is wanted, and the one that answers while it cannot.

Fallback.search   an answer, whose it is, and whether it is the second choice
Fallback.check    what is wrong with the wanted one, for /ready

After a failure the wanted one is left alone for a while, which grows; then one question tries it again while the
others go to the second. So a server that hangs costs one question a second now and then, and not everybody each time.
A question that takes too long while others are answered is slow by itself: that one goes to the second alone.
"""

import asyncio
import time

import msgspec

from fechatter import logs
from fechatter.domain.errors import Unavailable
from fechatter.domain.search import Backend, Found, Query
from fechatter.search.index import Index, SearchAway

PATIENCE_S = 1.5
"""Who takes longer is away, unless others are answered meanwhile."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
CHECK_S = 1.0
"""What a check found is good for so long."""

log = logs.get(__name__)


class Answered(msgspec.Struct, frozen=True):
    """`degraded`: not by the backend that was wanted."""

    found: Found
    backend: Backend
    degraded: bool


class Fallback:
    """Asks `wanted`, and `second` while that is away or slow.

    complaint    why the wanted one was left alone last; empty while it answers
    patience_s   how long an answer may take
    """

    def __init__(self, wanted: Index, second: Index, patience_s: float = PATIENCE_S) -> None:
        self.complaint = ""
        self._wanted = wanted
        self._second = second
        self.patience_s = patience_s
        self._pause_s = FIRST_PAUSE_S
        self._try_at = 0.0
        self._answered_at = 0.0
        self._checked_at = -CHECK_S

    async def search(self, query: Query) -> Answered:
        """Raises Unavailable only when neither answers."""
        if (found := await self._ask_wanted(query)) is not None:
            return Answered(found, self._wanted.backend, degraded=False)
        return Answered(await self._second.search(query), self._second.backend, degraded=True)

    async def check(self) -> str:
        """One sentence on what is wrong; empty: nothing. Cheap to ask often."""
        now = time.monotonic()
        if now < self._checked_at + CHECK_S:
            return self.complaint
        self._checked_at = now
        try:
            async with asyncio.timeout(self.patience_s):
                health = await self._wanted.health()
        except (Unavailable, TimeoutError) as error:
            self._leave_alone(error)
        else:
            if health.available:
                self._recovered()
            else:
                self._leave_alone(SearchAway(health.detail))
        return self.complaint

    async def _ask_wanted(self, query: Query) -> Found | None:
        now = time.monotonic()
        if self.complaint:
            if now < self._try_at:
                return None
            self._try_at = now + self.patience_s + self._pause_s  # this question tries; the others do not wait for it
        try:
            async with asyncio.timeout(self.patience_s):
                found = await self._wanted.search(query)
        except TimeoutError as error:
            if self._answered_at < now:
                self._leave_alone(error)
            return None
        except SearchAway as error:
            self._leave_alone(error)
            return None
        self._answered_at = time.monotonic()
        self._recovered()
        return found

    def _leave_alone(self, error: Exception) -> None:
        text = error.detail if isinstance(error, Unavailable) else "Meilisearch is too slow."
        if text != self.complaint:
            log.warning("search.fell_back", error=text)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S) if self.complaint else FIRST_PAUSE_S
        self.complaint = text
        self._try_at = time.monotonic() + self._pause_s

    def _recovered(self) -> None:
        if self.complaint:
            log.info("search.recovered")
        self.complaint, self._pause_s = "", FIRST_PAUSE_S
