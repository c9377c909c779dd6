"""Row 8: p99 of healthy readers while 1 % of all readers are stalled, against the same without them.

1,000 healthy streams and 10 that read nothing after their greeting, messages of 4 KiB, 20 a second: the stalled ones'
buffers fill within seconds and they are sent away.
"""

import socket
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.figures import Case, Plan, Row
from bench.posting import Poster
from bench.stage import Stage, pin, say
from bench.streams import SSE, Load, Tokens, clients

PEOPLE = 1_000
STALLED = 10
PADDING = "x" * 4096
SMALLEST_BUFFER = 2048


def measure(plan: Plan) -> Iterator[Case]:
    load = Load(PEOPLE, round(20 * max(plan.seconds, 8)), 50)
    case = Case(
        row=8,
        name=f"{PEOPLE:,} healthy readers, {STALLED} stalled, p99",
        against="without the stalled ones",
        unit="ms",
        better="less",
        good=1.5,
        goal=1.1,
    )
    with Stage.up(PEOPLE, 1) as stage:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        pin(stage.stack.pid("notify_server"), 0)
        _p99(stage, load, tokens)
        for number in range(1, plan.rounds + 1):
            alone = _p99(stage, load, tokens)
            with _stalled(stage):
                beside = _p99(stage, load, tokens)
            case.add(beside, alone)
            say(f"round {number}: p99 {beside:.1f} ms beside stalled readers, {alone:.1f} ms alone")
    yield case


def _p99(stage: Stage, load: Load, tokens: Path) -> float:
    with clients(stage.stack.notify_port, SSE, load, tokens) as streams:
        Poster(stage, PADDING).at_pace(stage.people[0], load.events, load.gap_ms)
        return streams.outcome()["p99_ms"]


@contextmanager
def _stalled(stage: Stage) -> Generator[None]:
    """Connections that have been greeted and are never read again."""
    with ExitStack() as connections:
        for person in stage.people[:STALLED]:
            reader = connections.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_BUFFER)
            reader.connect(("127.0.0.1", stage.stack.notify_port))
            reader.sendall(
                f"GET {SSE} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {person.token}\r\n\r\n".encode()
            )
            reader.recv(256)
        yield


ROW = Row(8, "Healthy readers beside stalled ones", measure)
