"""`make bench`: measure, print the table, write docs/performance.md and its plot.

python -m bench [--rows 1,5] [--rounds 5] [--seconds 5] [--dry]
"""

import argparse
import importlib
import pkgutil
import sys

from bench import report, rows
from bench.figures import CannotMeasure, Case, Plan, Row
from bench.stage import say


def main() -> int:
    known = _rows()
    arguments = _arguments(known)
    plan = Plan(arguments.rounds, arguments.seconds)
    measured: list[Case] = []
    failed = False
    for number in arguments.rows:
        print(f"Row {number}: {known[number].title}", file=sys.stderr)
        try:
            measured += known[number].measure(plan)
        except CannotMeasure as problem:
            say(f"cannot be measured here: {problem}")
            failed = True
    print(report.table(measured))
    if measured and not arguments.dry:
        report.write(measured)
    return 1 if failed or not measured else 0


def _rows() -> dict[int, Row]:
    modules = [importlib.import_module(f"bench.rows.{info.name}") for info in pkgutil.iter_modules(rows.__path__)]
    found: list[Row] = [module.ROW for module in modules]
    rows_by_number = {row.number: row for row in sorted(found, key=lambda row: row.number)}
    assert len(rows_by_number) == len(found), "two rows have the same number"
    return rows_by_number


def _arguments(known: dict[int, Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure ratios to floors, on this machine.")
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=list(known))
    parser.add_argument("--rounds", type=int, default=5, help="interleaved; medians are quoted (default: 5)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each figure (default: 5)")
    parser.add_argument("--dry", action="store_true", help="print only, leave docs/performance.md as it is")
    arguments = parser.parse_args()
    if unknown := [str(number) for number in arguments.rows if number not in known]:
        parser.error(f"no row {', '.join(unknown)}: there are {', '.join(map(str, known))}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
