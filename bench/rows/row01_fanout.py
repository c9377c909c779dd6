"""Row 1: events to many streams, deliveries per CPU-second, against a C loop that only sends, and against nchan.

Ours: notify_server as `fechatter up` runs it, one event stream a connection, posts at a steady pace through the API.
Floor K: native/fanout_floor.c, the very bytes of such an event to as many sockets at the same pace. nchan: nginx's
module, one worker, fed with the event's JSON at that pace. The sender has one core, the clients (the same program for
all) the other. CPU time is that of the sending process alone, user and system.
People hide their presence: 2,000 who come online in one channel are 4 million presence events.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Case, Plan, Row
from bench.nchan import SUBSCRIBE, Nchan
from bench.posting import Poster, content
from bench.stage import Stage, pin, raise_open_files, say
from bench.streams import SSE, Load, Tokens, an_event, clients, cpu, floor, latencies

PEOPLE = 2_000
SPARE_FILES = 500


def measure(plan: Plan) -> Iterator[Case]:
    loads = [Load(2_000, round(20 * plan.seconds), 50), Load(15_000, round(2 * plan.seconds), 500)]
    with Stage.up(PEOPLE, 1) as stage, Nchan.start(stage.folder / "nchan") as nchan:
        stage.hide_presence()
        tokens = Tokens.write(stage.folder / "tokens", stage.people)
        frame = stage.folder / "frame"
        frame.write_bytes(an_event(stage))
        say(f"an event has {frame.stat().st_size} bytes")
        pin(stage.stack.pid("notify_server"), 0)
        for load in loads:
            if raise_open_files() < load.connections + SPARE_FILES:
                say(f"{load.connections:,} streams need more open files than this machine allows (ulimit -n)")
                continue
            yield from _measure(stage, nchan, plan, load, tokens, frame)


def _measure(stage: Stage, nchan: Nchan, plan: Plan, load: Load, tokens: Path, frame: Path) -> Iterator[Case]:
    against_k = _case(load, "K, a C loop of send()", 0.6, 0.8)
    against_nchan = _case(load, "nchan", 1, 1.2)
    for number in range(1, plan.rounds + 1):
        floor_cpu, floor_seen = floor(load, frame)
        our_cpu, our_seen = _ours(stage, load, tokens)
        nchan_cpu, nchan_seen = _nchan(nchan, load, frame)
        ours, k, other = (load.deliveries / spent for spent in (our_cpu, floor_cpu, nchan_cpu))
        against_k.add(ours, k, f"ours {latencies(our_seen)}; K {latencies(floor_seen)}")
        against_nchan.add(ours, other, f"nchan {latencies(nchan_seen)}")
        say(f"{against_k.name}, round {number}: ours {ours:,.0f}, K {k:,.0f}, nchan {other:,.0f}")
    yield from (against_k, against_nchan)


def _case(load: Load, against: str, good: float, goal: float) -> Case:
    name = f"{load.connections:,} streams, {1000 / load.gap_ms:.0f} events/s"
    return Case(row=1, name=name, against=against, unit="deliveries per CPU-second", good=good, goal=goal)


def _ours(stage: Stage, load: Load, tokens: Path) -> tuple[float, dict[str, float]]:
    notify = stage.stack.pid("notify_server")
    with clients(stage.stack.notify_port, SSE, load, tokens) as streams:
        before = cpu(notify)
        Poster(stage).at_pace(stage.people[0], load.events, load.gap_ms)
        seen = streams.outcome()
        return cpu(notify) - before, seen


def _nchan(nchan: Nchan, load: Load, frame: Path) -> tuple[float, dict[str, float]]:
    """The event's JSON with another time in it."""
    data = frame.read_text().partition("data: ")[2].strip()
    prefix, _, rest = data.partition("~")
    with clients(nchan.port, SUBSCRIBE, load) as streams:
        before = cpu(nchan.pid)
        begin = time.monotonic()
        for number in range(load.events):
            time.sleep(max(0.0, begin + number * load.gap_ms / 1000 - time.monotonic()))
            nchan.publish([f"{prefix}{content('')[:20]}{rest[19:]}"])
        seen = streams.outcome()
        return cpu(nchan.pid) - before, seen


ROW = Row(1, "SSE deliveries per CPU-second, paced", measure)
