"""Row 2: bursts of 100 events to 2,000 streams, deliveries per CPU-second, against nchan.

Ours: 100 posts at the same moment through the API, five times. nchan: 100 messages on one connection in one go, five
times, each the JSON of an event of ours. CPU time is that of the sending process alone.
"""

import asyncio
from collections.abc import Iterator

from bench.figures import Case, Plan, Row
from bench.nchan import SUBSCRIBE, Nchan
from bench.posting import burst, content
from bench.stage import Stage, pin, say
from bench.streams import SSE, Load, Tokens, an_event, clients, cpu, latencies

PEOPLE = 2_000
BURST = 100
BURSTS = 5
LOAD = Load(PEOPLE, BURST * BURSTS, 0)


def measure(plan: Plan) -> Iterator[Case]:
    case = Case(
        row=2,
        name=f"{PEOPLE:,} streams, a burst of {BURST}",
        against="nchan",
        unit="deliveries per CPU-second",
        good=1,
        goal=3,
    )
    with Stage.up(PEOPLE, 1) as stage, Nchan.start(stage.folder / "nchan") as nchan:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        data = an_event(stage).decode().partition("data: ")[2].strip()
        notify = stage.stack.pid("notify_server")
        pin(notify, 0)
        for number in range(1, plan.rounds + 1):
            with clients(stage.stack.notify_port, SSE, LOAD, tokens) as streams:
                before = cpu(notify)
                for _ in range(BURSTS):
                    asyncio.run(burst(stage.stack.api_port, stage.people[0], BURST))
                ours_seen = streams.outcome()
                ours = LOAD.deliveries / (cpu(notify) - before)
            other, nchan_seen = _nchan(nchan, data)
            case.add(ours, other, f"ours {latencies(ours_seen)}; nchan {latencies(nchan_seen)}")
            say(f"round {number}: ours {ours:,.0f}, nchan {other:,.0f} ({case.notes[-1]})")
    yield case


def _nchan(nchan: Nchan, data: str) -> tuple[float, dict[str, float]]:
    prefix, _, rest = data.partition("~")
    with clients(nchan.port, SUBSCRIBE, LOAD) as streams:
        before = cpu(nchan.pid)
        for _ in range(BURSTS):
            nchan.publish([f"{prefix}{content('')[:20]}{rest[19:]}" for _ in range(BURST)])
        seen = streams.outcome()
        return LOAD.deliveries / (cpu(nchan.pid) - before), seen


ROW = Row(2, "SSE deliveries per CPU-second, in bursts", measure)
