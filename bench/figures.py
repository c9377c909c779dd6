"""What a measurement gives: figures of ours beside a floor's, round by round.

Case           one line of the table
Case.ratio     median over the rounds, with the lowest and the highest
Row            what can be measured, and how
"""

from collections.abc import Callable, Iterator
from statistics import median

from msgspec import Struct, field


class Case(Struct, kw_only=True):
    """`ours` and `floor`: one figure a round, measured one after the other, in `unit` (more is better).

    good, goal   the ratios of docs/performance.md; None: for comparison only
    notes        what else was seen, e.g. latencies
    """

    row: int
    name: str
    against: str
    unit: str
    good: float | None = None
    goal: float | None = None
    ours: list[float] = field(default_factory=list[float])
    floor: list[float] = field(default_factory=list[float])
    notes: list[str] = field(default_factory=list[str])

    def add(self, ours: float, floor: float, note: str = "") -> None:
        self.ours.append(ours)
        self.floor.append(floor)
        if note:
            self.notes.append(note)

    @property
    def ratio(self) -> tuple[float, float, float]:
        ratios = sorted(mine / other for mine, other in zip(self.ours, self.floor, strict=True))
        return median(ratios), ratios[0], ratios[-1]


class Plan(Struct, frozen=True):
    """How long to measure: `rounds` of `seconds` each."""

    rounds: int
    seconds: float


Measure = Callable[[Plan], Iterator[Case]]
"""Yields each case when all of its rounds are done."""


class Row(Struct, frozen=True):
    number: int
    title: str
    measure: Measure


class CannotMeasure(Exception):
    """Something is missing on this machine: one sentence that says what."""
