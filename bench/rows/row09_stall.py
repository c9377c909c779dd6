"""Row 9: by how much fechatter_server's event loop is late while sign-ins saturate the machine, p99, beside idle.

32 people sign in over and over, each with the right password: argon2 has all it can take. The figure is the server's
own (`fechatter_loop_stall_seconds` of /metrics), of the time of the sign-ins alone, interpolated within its buckets.
"""

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Coroutine, Iterator

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.posting import Wire
from bench.stage import Stage, say

CLIENTS = 32
LONGEST_S = 5.0
"""Stands for the bucket without a bound."""
PASSWORD = "a long enough password"  # noqa: S105 - of people who exist for this run
_BUCKET = re.compile(r'^fechatter_loop_stall_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


def measure(plan: Plan) -> Iterator[Case]:
    case = Case(
        row=9,
        name="event-loop stall, p99, while sign-ins saturate",
        against="idle",
        unit="ms",
        better="less",
        kind="figure",
        good=20,
        goal=5,
    )
    with Stage.up(1, 1) as stage:
        emails = asyncio.run(_sign_up(stage))
        for number in range(1, plan.rounds + 1):
            idle = _stall(stage, _idle(plan.seconds))
            signed_in: list[int] = []
            busy = _stall(stage, _saturate(stage, emails, plan.seconds, signed_in))
            case.add(busy * 1000, idle * 1000, f"{len(signed_in) / plan.seconds:.0f} sign-ins/s")
            say(f"round {number}: {busy * 1000:.2f} ms, idle {idle * 1000:.2f} ms, {case.notes[-1]}")
    yield case


def _stall(stage: Stage, work: Coroutine[None, None, None]) -> float:
    """The p99 of what was observed during the work, in seconds."""
    before = _buckets(stage)
    asyncio.run(work)
    grown = {bound: count - before.get(bound, 0) for bound, count in _buckets(stage).items()}
    wanted = 0.99 * max(grown.values())
    lower, below = 0.0, 0.0
    for bound, count in sorted(grown.items()):
        if count >= wanted:
            return lower + (bound - lower) * (wanted - below) / max(count - below, 1)
        lower, below = bound, count
    raise CannotMeasure("the server tells nothing about its event loop")


def _buckets(stage: Stage) -> dict[float, float]:
    with urllib.request.urlopen(f"{stage.stack.api_url}/metrics", timeout=10) as answer:  # noqa: S310 - of our own
        found = _BUCKET.findall(answer.read().decode())
    return {min(float(bound), LONGEST_S): float(count) for bound, count in found}


async def _idle(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _sign_up(stage: Stage) -> list[str]:
    wire = await Wire.open(stage.stack.api_port)
    emails = [f"person{number}@bench.invalid" for number in range(CLIENTS)]
    for number, email in enumerate(emails):
        body = json.dumps({"fullname": f"Person {number}", "email": email, "password": PASSWORD})
        if (status := await wire.post("/api/auth/signup", body, "Content-Type: application/json")) != 201:
            raise CannotMeasure(f"a sign-up was answered {status}")
    await wire.close()
    return emails


async def _saturate(stage: Stage, emails: list[str], seconds: float, signed_in: list[int]) -> None:
    end = time.monotonic() + seconds

    async def again_and_again(email: str) -> None:
        wire = await Wire.open(stage.stack.api_port)
        body = json.dumps({"email": email, "password": PASSWORD})
        while time.monotonic() < end:
            status = await wire.post("/api/auth/signin", body, "Content-Type: application/json")
            if status not in (200, 503):
                raise CannotMeasure(f"a sign-in was answered {status}")
            if status == 200:
                signed_in.append(1)
        await wire.close()

    await asyncio.gather(*(again_and_again(email) for email in emails))


ROW = Row(9, "Event-loop stall while sign-ins saturate", measure)
