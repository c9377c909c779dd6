"""The table of ratios, in the terminal and in docs/performance.md.

table(cases)   for a terminal
write(cases)   into docs/performance.md between its marks, with a plot; other rows keep their last results
"""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from xml.sax.saxutils import escape

import msgspec
from msgspec import Struct

from bench.figures import Case

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"
RESULTS = ROOT / "bench" / "results.json"
BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of results -->"
HEAD = ("row", "what", "against", "ours", "floor", "value", "min – max", "good", "goal")


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
    middle, low, high = case.value
    return (
        str(case.row),
        f"{case.name}, {case.unit}",
        case.against,
        _number(median(case.ours)),
        _number(median(case.floor)) if case.floor else "",
        _number(middle),
        f"{_number(low)} – {_number(high)}",
        _bound(case, case.good),
        _bound(case, case.goal),
    )


def _bound(case: Case, value: float | None) -> str:
    if value is None:
        return ""
    return f"{'≥' if case.better == 'more' else '≤'} {value:g}" + (f" {case.unit}" if case.kind == "figure" else "")


def _number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _markdown(measured: list[Measured]) -> str:
    lines = ["", f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    lines += [f"| {' | '.join(_cells(item.case))} |" for item in measured]
    lines += ["", "![How much of each goal is reached](images/performance.svg)", ""]
    for item in measured:
        note = f" Last round: {item.case.notes[-1]}." if item.case.notes else ""
        lines.append(
            f"- Row {item.case.row}, {item.case.name}, {item.case.against}: {_rounds(item.case)} on "
            f"{item.day} ({item.machine}).{note}"
        )
    return "\n".join(lines)


def _rounds(case: Case) -> str:
    count = len(case.ours)
    return f"{count} round{'' if count == 1 else 's'}"


def _plot(cases: list[Case]) -> str:
    """Bars of how much of its goal each case reaches, with the spread; drawn by hand, readable on light and dark."""
    shown = [case for case in cases if case.goal is not None]
    left, width, step, most = 400, 380, 34, 2.0
    height = step * len(shown) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 160} {height}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="How much of its goal each figure reaches">',
        "<style>text{fill:#555}@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>",
    ]

    def place(case: Case, value: float) -> float:
        return left + min(case.reached(value), most) / most * width

    for number, case in enumerate(shown):
        ends = [place(case, value) for value in case.value]
        middle, low, high = ends[0], min(ends), max(ends)
        y = 20 + number * step
        colour = "#2f855a" if case.reached(case.value[0]) >= 1 else "#3b82c4"
        parts += [
            f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{case.row} · {escape(case.name)}</text>',
            f'<rect x="{left}" y="{y}" width="{middle - left:.1f}" height="20" fill="{colour}" rx="2"/>',
            f'<path d="M{low:.1f} {y + 10}H{high:.1f}M{low:.1f} {y + 6}v8M{high:.1f} {y + 6}v8" stroke="#7d8ba0"/>',
            f'<text x="{max(high, left + width / most) + 8:.1f}" y="{y + 15}">'
            f"{_number(case.value[0])} ({_bound(case, case.goal)})</text>",
        ]
    bottom = 20 + step * len(shown)
    at = left + width / most
    parts.append(f'<path d="M{at:.1f} 10V{bottom}" stroke="#d97706" stroke-width="2.5"/>')
    parts.append(f'<text x="{left}" y="{height - 16}">bar: how much of the goal is reached · orange: the goal</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
