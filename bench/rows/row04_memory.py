"""Row 4: memory of an idle connection, SSE and WebSocket, 15,000 of them, against nchan.

How much the resident memory of the process grows from none to all of them, once each has been greeted. Each figure is
of a process that was started for it: what one run has freed, the next would use again.
"""

from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.nchan import SUBSCRIBE, Nchan
from bench.stage import Stage, raise_open_files, say
from bench.streams import SSE, WS, Load, Tokens, clients

PEOPLE = 2_000
LOAD = Load(15_000, 1, 0)
SPARE_FILES = 500


def measure(plan: Plan) -> Iterator[Case]:
    if raise_open_files() < LOAD.connections + SPARE_FILES:
        raise CannotMeasure(f"{LOAD.connections:,} streams need more open files (ulimit -n)")
    cases = {SSE: _case("SSE"), WS: _case("WebSocket")}
    with Stage.up(PEOPLE, 1) as stage:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        for number in range(1, plan.rounds + 1):
            other = _nchan(stage.folder / f"nchan-{number}")
            for path, case in cases.items():
                stage.stack.kill("notify_server")
                stage.stack.wait_ready()
                case.add(_grown(stage.stack.pid("notify_server"), stage.stack.notify_port, path, tokens), other)
                say(f"{case.name}, round {number}: ours {case.ours[-1]:,.0f} bytes, nchan {other:,.0f}")
    yield from cases.values()


def _case(kind: str) -> Case:
    return Case(
        row=4,
        name=f"{LOAD.connections:,} idle {kind} streams",
        against="nchan",
        unit="bytes of memory each",
        better="less",
        good=1,
        goal=0.25,
    )


def _nchan(folder: Path) -> float:
    with Nchan.start(folder) as nchan:
        return _grown(nchan.pid, nchan.port, SUBSCRIBE, None)


def _grown(pid: int, port: int, path: str, tokens: Path | None) -> float:
    process = psutil.Process(pid)
    before = process.memory_info().rss
    with clients(port, path, LOAD, tokens):
        return (process.memory_info().rss - before) / LOAD.connections


ROW = Row(4, "Memory of an idle connection", measure)
