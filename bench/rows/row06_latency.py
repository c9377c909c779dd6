"""Row 6: from a post to the last of 1,000 subscribers, p99, against nchan fed after the same commit.

Posts begin at a steady rate, half of the highest that our side sustains on this machine. Ours: the post alone; its
event goes through the log and notify_server. nchan: the same post to the same API, then an event of the same size to
nchan.
Both latencies count from the beginning of the post, so both hold HTTP, the commit and the fan-out.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bench.figures import Case, Plan, Row
from bench.nchan import PUBLISH, SUBSCRIBE, Nchan
from bench.posting import Deliver, Wire, at_rate
from bench.stage import Stage, pin, say
from bench.streams import SSE, Load, Tokens, an_event, clients

SUBSCRIBERS = 1_000
RATES = (20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 240, 280)
TRIAL_S = 2.0
SUSTAINED_MS = 150.0
"""A rate is sustained if the median post has reached everybody within this time."""


class Side(Struct, frozen=True):
    """Where the streams are, and how a post gets to them."""

    port: int
    path: str
    tokens: Path | None
    deliver: Deliver


def measure(plan: Plan) -> Iterator[Case]:
    with Stage.up(SUBSCRIBERS, 1) as stage, Nchan.start(stage.folder / "nchan") as nchan:
        stage.hide_presence()
        pin(stage.stack.pid("notify_server"), 0)
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        author = stage.people[0]

        async def post(wire: Wire, text: str) -> None:
            await wire.post_message(author, text)

        ours = Side(stage.stack.notify_port, SSE, tokens, post)
        other = Side(nchan.port, SUBSCRIBE, None, _feeding(stage, nchan, post))
        rate = _highest_rate(stage, ours) / 2
        case = Case(
            row=6,
            name=f"{SUBSCRIBERS:,} subscribers, {rate:.0f} posts/s, p99 to the last one",
            against="nchan, fed after the same commit",
            unit="ms",
            better="less",
            good=2,
            goal=1.2,
        )
        for number in range(1, plan.rounds + 1):
            mine, his = (_run(stage, side, rate, max(plan.seconds, 5)) for side in (ours, other))
            note = f"p50 to the last one: ours {mine['last_p50_ms']:.1f} ms, nchan {his['last_p50_ms']:.1f} ms"
            case.add(mine["last_p99_ms"], his["last_p99_ms"], note)
            say(f"round {number}: p99 ours {case.ours[-1]:.1f} ms, nchan {case.floor[-1]:.1f} ms ({note})")
        yield case


def _feeding(stage: Stage, nchan: Nchan, post: Deliver) -> Deliver:
    """Post, then publish an event of the same size to nchan."""
    prefix, _, rest = an_event(stage).decode().partition("data: ")[2].strip().partition("~")
    free: dict[asyncio.AbstractEventLoop, list[Wire]] = {}

    async def deliver(wire: Wire, text: str) -> None:
        await post(wire, text)
        mine = free.setdefault(asyncio.get_running_loop(), [])
        to_nchan = mine.pop() if mine else await Wire.open(nchan.port)
        await to_nchan.post(PUBLISH, f"{prefix}{text[:20]}{rest[19:]}")
        mine.append(to_nchan)

    return deliver


def _highest_rate(stage: Stage, side: Side) -> float:
    best = RATES[0]
    for rate in RATES:
        if _run(stage, side, rate, TRIAL_S)["last_p50_ms"] > SUSTAINED_MS:
            break
        best = rate
    say(f"the highest rate that is sustained is {best} posts/s")
    return best


def _run(stage: Stage, side: Side, rate: float, seconds: float) -> dict[str, float]:
    load = Load(SUBSCRIBERS, round(rate * seconds), 1000 / rate)
    with clients(side.port, side.path, load, side.tokens) as streams:
        asyncio.run(at_rate(stage.stack.api_port, rate, seconds, side.deliver))
        return streams.outcome()


ROW = Row(6, "From a post to the last of 1,000 subscribers", measure)
