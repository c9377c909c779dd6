"""The table of ratios, in the terminal and in docs/performance.md.

table(cases)   for a terminal
write(cases)   into docs/performance.md between its marks, with a plot; other rows keep their last results
"""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from bench.figures import Case

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"
RESULTS = ROOT / "bench" / "results.json"
BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of results -->"
HEAD = ("row", "what", "against", "ours", "floor", "ratio", "min – max", "good", "goal")


class Measured(Struct, frozen=True):
    """A case with the day and the machine it was measured on."""

    case: Case
    day: str
    machine: str


def table(cases: list[Case]) -> str:
    lines = [HEAD, *(_cells(case) for case in cases)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def write(cases: list[Case]) -> None:
    day, machine = f"{datetime.now(UTC):%Y-%m-%d}", f"{platform.machine()}, {os.cpu_count()} cores"
    measured = [Measured(case, day, machine) for case in cases]
    again = {case.row for case in cases}
    kept = [item for item in _last() if item.case.row not in again]
    everything = sorted([*kept, *measured], key=lambda item: item.case.row)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(everything)) + b"\n")
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(_plot([item.case for item in everything]))
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{_markdown(everything)}\n{END}{rest.partition(END)[2]}")


def _last() -> list[Measured]:
    return msgspec.json.decode(RESULTS.read_bytes(), type=list[Measured]) if RESULTS.exists() else []


def _cells(case: Case) -> tuple[str, ...]:
    middle, low, high = case.ratio
    return (
        str(case.row),
        f"{case.name}, {case.unit}",
        case.against,
        f"{median(case.ours):,.0f}",
        f"{median(case.floor):,.0f}",
        f"{middle:.2f}",
        f"{low:.2f} – {high:.2f}",
        "" if case.good is None else f"{case.good:g}",
        "" if case.goal is None else f"{case.goal:g}",
    )


def _markdown(measured: list[Measured]) -> str:
    lines = ["", f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    lines += [f"| {' | '.join(_cells(item.case))} |" for item in measured]
    lines += ["", "![Ratios beside their goals](images/performance.svg)", ""]
    for item in measured:
        note = f" Last round: {item.case.notes[-1]}." if item.case.notes else ""
        lines.append(
            f"- Row {item.case.row}, {item.case.name}, against {item.case.against}: {len(item.case.ours)} rounds on "
            f"{item.day} ({item.machine}).{note}"
        )
    return "\n".join(lines)


def _plot(cases: list[Case]) -> str:
    """Bars of the ratios with their spread, a tick at the goal; drawn by hand, readable on light and dark."""
    shown = [case for case in cases if case.goal is not None]
    most = max([1.0, *(case.ratio[2] for case in shown), *(case.goal or 0 for case in shown)])
    left, width, step = 330, 380, 44
    height = step * len(shown) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Measured ratios beside their goals">',
        "<style>text{fill:#555}@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>",
    ]
    for number, case in enumerate(shown):
        middle, low, high = (left + value / most * width for value in case.ratio)
        goal = left + (case.goal or 0) / most * width
        y = 20 + number * step
        parts += [
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{case.row} · {case.name}</text>',
            f'<rect x="{left}" y="{y}" width="{middle - left:.1f}" height="22" fill="#3b82c4" rx="2"/>',
            f'<path d="M{low:.1f} {y + 11}H{high:.1f}M{low:.1f} {y + 7}v8M{high:.1f} {y + 7}v8" stroke="#7d8ba0"/>',
            f'<path d="M{goal:.1f} {y - 4}v30" stroke="#d97706" stroke-width="2.5"/>',
            f'<text x="{max(middle, high, goal) + 8:.1f}" y="{y + 16}">{case.ratio[0]:.2f}</text>',
        ]
    parts.append(
        f'<text x="{left}" y="{height - 6}">bar: ratio to the floor, with its spread · orange: goal</text></svg>'
    )
    return "\n".join(parts) + "\n"
