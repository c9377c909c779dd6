"""Something that is away, told without filling the log.

Outage.lasts   it is away: logged at the loss and once for each other reason, then once in REMIND_S
Outage.ends    it is back: logged once
"""

import math
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

REMIND_S = 60.0
STEADY_S = 5.0
"""What was back for less than this had not really come back: its next loss is the same outage."""
MOST_REASONS = 5
"""The first may be the least telling: who is refused may see no more of it at one try than that the line was cut."""


class Outage:
    """`why`: a sentence while it is away, empty while it is not, or not known to be."""

    def __init__(
        self, log: FilteringBoundLogger, lost: str, back: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.why = ""
        self._log, self._lost, self._back = log, lost, back
        self._clock = clock
        self._told_loss = True  # so that the first good news are told too
        self._told: set[str] = set()  # the reasons, since the loss or the last reminder
        self._remind_at = -math.inf
        self._back_at = -math.inf

    def lasts(self, why: str, **about: str) -> None:
        now = self._clock()
        is_new = not self.why and now > self._back_at + STEADY_S
        if is_new or now >= self._remind_at:
            self._told.clear()
            self._remind_at = now + REMIND_S
        if why not in self._told and len(self._told) < MOST_REASONS:
            self._log.warning(self._lost, error=why, **about)
            self._told.add(why)
            self._told_loss = True
        self.why = why

    def ends(self, **about: str) -> None:
        if self._told_loss:
            self._log.info(self._back, **about)
            self._told_loss = False
        if self.why:
            self._back_at = self._clock()
        self.why = ""
