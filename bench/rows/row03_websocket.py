"""Row 3: WebSocket deliveries per CPU-second, against our own SSE in the same run.

The same posts at the same pace to as many streams of either kind, in turns, from the same process.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Case, Plan, Row
from bench.posting import Poster
from bench.stage import Stage, pin, say
from bench.streams import SSE, WS, Load, Tokens, clients, cpu, latencies

PEOPLE = 2_000


def measure(plan: Plan) -> Iterator[Case]:
    load = Load(PEOPLE, round(20 * plan.seconds), 50)
    case = Case(
        row=3,
        name=f"{PEOPLE:,} WebSockets, 20 events/s",
        against="our SSE",
        unit="deliveries per CPU-second",
        good=0.7,
        goal=0.95,
    )
    with Stage.up(PEOPLE, 1) as stage:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        pin(stage.stack.pid("notify_server"), 0)
        for number in range(1, plan.rounds + 1):
            sse, sse_seen = _deliveries(stage, SSE, load, tokens)
            ws, ws_seen = _deliveries(stage, WS, load, tokens)
            case.add(ws, sse, f"WebSocket {latencies(ws_seen)}; SSE {latencies(sse_seen)}")
            say(f"round {number}: WebSocket {ws:,.0f}, SSE {sse:,.0f}")
    yield case


def _deliveries(stage: Stage, path: str, load: Load, tokens: Path) -> tuple[float, dict[str, float]]:
    notify = stage.stack.pid("notify_server")
    with clients(stage.stack.notify_port, path, load, tokens) as streams:
        before = cpu(notify)
        Poster(stage).at_pace(stage.people[0], load.events, load.gap_ms)
        seen = streams.outcome()
        return load.deliveries / (cpu(notify) - before), seen


ROW = Row(3, "WebSocket deliveries per CPU-second", measure)
