"""Rates: how often something may be done (GCRA, as in ATM networks: one time stamp for each who does it).

Rate        so many at once, then one every so often
Standing    what is left of a rate
Bucket      the time stamp: in this process, and what others need to know of it
"""

import math
from typing import Self

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once; after that one every `interval_s`."""

    burst: int
    interval_s: float

    @classmethod
    def per(cls, seconds: float, count: float, burst: int | None = None) -> Self:
        """`count` in so many seconds, with a burst of as many unless said otherwise."""
        return cls(burst or max(1, int(count)), seconds / count)

    @property
    def full_s(self) -> float:
        """How long an allowance that is used up takes to be full again."""
        return self.burst * self.interval_s


class Standing(msgspec.Struct, frozen=True):
    """Where somebody stands against a rate. `debt_s`: until the allowance is full again."""

    rate: Rate
    debt_s: float
    allowed: bool

    @property
    def remaining(self) -> int:
        """How many more may come at once."""
        return max(0, int((self.rate.full_s - self.debt_s) / self.rate.interval_s + 1e-9))

    @property
    def reset_s(self) -> int:
        """Whole seconds until the allowance is full again."""
        return math.ceil(max(0.0, self.debt_s))

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until one more may come; at least 1."""
        return max(1, math.ceil(self.debt_s + self.rate.interval_s - self.rate.full_s))


class Bucket:
    """One allowance.

    full_at   when it is full again, on the caller's clock
    unshared  seconds of it that were spent here since this was last told to others
    """

    __slots__ = ("full_at", "unshared")

    def __init__(self) -> None:
        self.full_at = 0.0
        self.unshared = 0.0

    def take(self, rate: Rate, now: float) -> Standing:
        """Take one out, if there is one."""
        debt = max(0.0, self.full_at - now)
        if debt + rate.interval_s > rate.full_s + 1e-9:
            return Standing(rate, debt, allowed=False)
        self.full_at = now + debt + rate.interval_s
        self.unshared += rate.interval_s
        return Standing(rate, debt + rate.interval_s, allowed=True)
