"""Row 7: 10,000 clients come back at once and resume, against a C loop that accepts 10,000 and writes the same bytes.

Each comes with the same cursor and has missed five messages. The time runs from the first connect until the last one
has its last message. K looks nothing up (native/accept_floor.c). The notes say how many transactions the database saw
meanwhile, of all services: by design one replay serves thousands.
"""

from collections.abc import Iterator
from pathlib import Path

import asyncpg

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.posting import Poster
from bench.stage import Stage, pin, raise_open_files, say
from bench.streams import SSE, Load, Tokens, a_cursor, clients, missed, native_server
from tests.support.ports import free_port

PEOPLE = 2_000
MISSED = 5
LOAD = Load(10_000, MISSED, 0)
SPARE_FILES = 500


def measure(plan: Plan) -> Iterator[Case]:
    if raise_open_files() < LOAD.connections + SPARE_FILES:
        raise CannotMeasure(f"{LOAD.connections:,} streams need more open files (ulimit -n)")
    case = Case(
        row=7,
        name=f"{LOAD.connections:,} clients resume at once",
        against="K, accept and write",
        unit="ms until the last has all",
        better="less",
        good=5,
        goal=2,
    )
    with Stage.up(PEOPLE, 1) as stage:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        pin(stage.stack.pid("notify_server"), 0)
        cursor = a_cursor(stage, stage.people[1])
        poster = Poster(stage)
        for _ in range(MISSED):
            poster.post(stage.people[0])
        frame = stage.folder / "missed"
        frame.write_bytes(missed(stage, stage.people[1], cursor, MISSED))
        for number in range(1, plan.rounds + 1):
            floor = _floor(frame)
            before = stage.query(_transactions)
            ours = _resume(stage.stack.notify_port, tokens, cursor)
            asked = stage.query(_transactions) - before
            case.add(ours, floor, f"{asked} transactions of all services meanwhile")
            say(f"round {number}: ours {ours:,.0f} ms, K {floor:,.0f} ms, {case.notes[-1]}")
    yield case


def _floor(frame: Path) -> float:
    port = free_port()
    with native_server("accept_floor", str(port), str(LOAD.connections), str(frame)):
        return _resume(port, None, None)


def _resume(port: int, tokens: Path | None, cursor: str | None) -> float:
    with clients(port, SSE, LOAD, tokens, cursor) as streams:
        return streams.outcome()["took_ms"]


async def _transactions(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    count: int = await connection.fetchval(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    )
    return count


ROW = Row(7, "Clients that come back at once", measure)
