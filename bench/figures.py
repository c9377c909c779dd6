"""What a measurement gives: figures of ours beside a floor's, round by round.

Case           one line of the table
Case.value     median over the rounds, with the lowest and the highest
Case.reached   how much of its goal a case has reached
Row            what can be measured, and how
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Literal

from msgspec import Struct, field


class Case(Struct, kw_only=True):
    """`ours` and `floor`: one figure a round, measured one after the other, in `unit`.

    better       whether a higher or a lower value is the better one
    kind         what `good` and `goal` speak of: `ratio`, ours to the floor's, or `figure`, ours as it is, in `unit`
    good, goal   the values of docs/performance.md; None: for comparison only
    floor        empty where nothing stands beside it
    notes        what else was seen, e.g. latencies
    """

    row: int
    name: str
    against: str
    unit: str
    better: Literal["more", "less"] = "more"
    kind: Literal["ratio", "figure"] = "ratio"
    good: float | None = None
    goal: float | None = None
    ours: list[float] = field(default_factory=list[float])
    floor: list[float] = field(default_factory=list[float])
    notes: list[str] = field(default_factory=list[str])

    def add(self, ours: float, floor: float | None = None, note: str = "") -> None:
        self.ours.append(ours)
        if floor is not None:
            self.floor.append(floor)
        if note:
            self.notes.append(note)

    @property
    def value(self) -> tuple[float, float, float]:
        """Median, lowest and highest of what `goal` speaks of."""
        pairs = zip(self.ours, self.floor, strict=True) if self.kind == "ratio" else ()
        values = sorted(mine / other for mine, other in pairs) if self.kind == "ratio" else sorted(self.ours)
        return median(values), values[0], values[-1]

    def reached(self, value: float) -> float:
        """1 at the goal, more when it is surpassed. Only for a case that has one."""
        if self.goal is None:
            raise ValueError("a case for comparison has no goal")
        if self.better == "more":
            return value / self.goal
        return self.goal / value if value > 0 else float("inf")


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
