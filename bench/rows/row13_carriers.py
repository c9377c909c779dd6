"""Row 13: NATS against NOTIFY: posts a second, and how long a post takes to a stream.

One PostgreSQL, one NATS (the embedded one) and one notify_server that hears both. Beside it two sets of
fechatter_server processes, which differ in `messaging.enabled` alone; the same 64 clients load one of one set, then
four of it, and the other set in turn. Meanwhile somebody else posts 20 messages a second and listens: from the
beginning of the request to the event, in milliseconds. All of it shares the machine's cores.

What NOTIFY costs is its lock, which a commit holds until it is on the disk, so the disk decides. Four processes are
therefore measured on a disk that takes its time, too: `commit_delay` makes each flush wait as such a disk would.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import asyncpg

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.native import program
from bench.stage import Person, Stage, say
from fechatter.cli.embedded_nats import running_nats
from tests.clients.api import Api
from tests.clients.sse import listen
from tests.support.ports import free_port
from tests.support.stack import answers_ready
from tests.support.waiting import wait_until

CLIENTS = 64
SLOW_DISK_MS = 2
SCENES = ((1, 0), (4, 0), (4, SLOW_DISK_MS))
"""Processes, and milliseconds that each flush takes longer."""
PROBES_A_SECOND = 20


class Figures(NamedTuple):
    """`p50_ms`, `p99_ms`: from a post to the stream."""

    posts_a_second: float
    p50_ms: float
    p99_ms: float


def measure(plan: Plan) -> Iterator[Case]:
    cases = {scene: _cases(*scene) for scene in SCENES}
    most = max(count for count, _ in SCENES)
    with ExitStack() as stack:
        stage = stack.enter_context(Stage.up(CLIENTS + 1, CLIENTS + 1, FECHATTER_MESSAGING__ENABLED="true"))
        stage.hide_presence()
        notify = stack.enter_context(_servers(stage, "false", most))
        nats = stack.enter_context(_servers(stage, "true", most))
        for number in range(plan.rounds + 1):
            for count, disk_ms in SCENES:
                _slow_down_disk(stage, disk_ms)
                pair = (notify, nats) if number % 2 else (nats, notify)
                found = {id(ports): _load(stage, ports[:count], plan.seconds) for ports in pair}
                old, new = found[id(notify)], found[id(nats)]
                if number == 0:
                    continue  # to warm up
                for case, mine, his in zip(cases[count, disk_ms], new, old, strict=True):
                    case.add(mine, his)
                say(f"round {number}, {_scene(count, disk_ms)}: NATS {_shown(new)}, NOTIFY {_shown(old)}")
    for scene in SCENES:
        yield from cases[scene]


def _cases(count: int, disk_ms: int) -> tuple[Case, Case, Case]:
    who = _scene(count, disk_ms)
    return (
        Case(row=13, name=f"posts by NATS, {who}", against="NOTIFY", unit="posts/s"),
        Case(
            row=13,
            name=f"post to stream by NATS under that load, p50, {who}",
            against="NOTIFY",
            unit="ms",
            better="less",
        ),
        Case(
            row=13,
            name=f"post to stream by NATS under that load, p99, {who}",
            against="NOTIFY",
            unit="ms",
            better="less",
        ),
    )


def _scene(count: int, disk_ms: int) -> str:
    return f"{count} process{'es' if count > 1 else ''}" + (f", a disk of {disk_ms} ms" if disk_ms else "")


def _slow_down_disk(stage: Stage, flush_ms: int) -> None:
    """From now on each flush takes so much longer; 0: as long as it takes."""
    cluster = stage.stack.data_dir / "postgres"
    settings = f"commit_delay = {flush_ms * 1000}\ncommit_siblings = 0\n"
    (cluster / "conf.d" / "50-disk.conf").write_text(settings)
    os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)
    wait_until(lambda: stage.query(_commit_delay) == flush_ms * 1000, "PostgreSQL has read its settings")


async def _commit_delay(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    return int(await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'commit_delay'"))


def _shown(figures: Figures) -> str:
    return f"{figures.posts_a_second:,.0f} posts/s, {figures.p50_ms:.1f} / {figures.p99_ms:.1f} ms"


@contextmanager
def _servers(stage: Stage, enabled: str, count: int) -> Generator[list[int]]:
    """Ports of fechatter_server processes beside the stage's own."""
    ports = [free_port() for _ in range(count)]
    environment = stage.stack.environment | {
        "DATABASE_URL": stage.stack.database_url,
        "FECHATTER_MESSAGING__ENABLED": enabled,
        "FECHATTER_MESSAGING__URL": running_nats(stage.stack.data_dir) or "",
    }
    with ExitStack() as stack:
        for port in ports:
            log = stack.enter_context((stage.folder / f"server-{port}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "fechatter", "server", "--port", str(port)],
                env=environment,
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in ports:
            wait_until(lambda port=port: answers_ready(f"http://127.0.0.1:{port}"), "a fechatter_server is ready")
        yield ports


def _load(stage: Stage, ports: Sequence[int], seconds: float) -> Figures:
    share = CLIENTS // len(ports)
    files = [
        _clients_file(stage, number, stage.people[number * share : (number + 1) * share])
        for number in range(len(ports))
    ]
    running = [
        subprocess.Popen([program("post_clients"), str(port), str(seconds), file], stdout=subprocess.PIPE, text=True)
        for port, file in zip(ports, files, strict=True)
    ]
    took = asyncio.run(_probe(stage, ports[0], seconds))
    rate = sum(map(_rate, running))
    cuts = quantiles(took, n=100, method="inclusive")
    return Figures(rate, cuts[49], cuts[98])


def _rate(running: subprocess.Popen[str]) -> float:
    text, _ = running.communicate()
    words = text.split()
    if running.returncode != 0:
        raise CannotMeasure(f"posting failed: {text.strip()[:300]}")
    said = dict(zip(words[::2], words[1::2], strict=True))
    return float(said["created"]) / float(said["seconds"])


def _clients_file(stage: Stage, number: int, people: Sequence[Person]) -> Path:
    path = stage.folder / f"clients-{number}"
    path.write_text("".join(f"{person.token} {person.chat_id}\n" for person in people))
    return path


async def _probe(stage: Stage, port: int, seconds: float) -> list[float]:
    """Milliseconds from a post to its event, one after the other, at a steady pace."""
    person, took = stage.people[-1], list[float]()
    path = f"/api/chats/{person.chat_id}/messages"
    async with (
        Api(f"http://127.0.0.1:{port}") as api,
        listen(f"http://127.0.0.1:{stage.stack.notify_port}", token=person.token) as stream,
    ):
        await stream.hello()
        end = time.perf_counter() + seconds - 0.5
        while (began := time.perf_counter()) < end:
            text = f"probe {began}"
            post = asyncio.create_task(api.ask("POST", path, token=person.token, json={"content": text}))
            await stream.message(text)
            took.append((time.perf_counter() - began) * 1000)
            await post
            await asyncio.sleep(max(0.0, 1 / PROBES_A_SECOND - (time.perf_counter() - began)))
    return took


ROW = Row(13, "NATS against NOTIFY", measure)
