"""Row 1: events to many streams, deliveries per CPU-second, against a C loop that only sends.

Ours: notify_server as `fechatter up` runs it, one event stream a connection, posts at a steady pace through the API.
Floor: native/fanout_floor.c, the very bytes of such an event to as many sockets at the same pace. The sender has one
core, the clients (the same program for both) the other. CPU time is that of the sending process alone, user and system.
People hide their presence: 2,000 who come online in one channel are 4 million presence events.
"""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from msgspec import Struct

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.native import program
from bench.stage import Person, Stage, pin, raise_open_files, say
from tests.support.ports import free_port

PEOPLE = 2_000
PADDING = "x" * 40
PATIENCE_S = 30
SPARE_FILES = 500


class Load(Struct, frozen=True):
    """So many streams, events and milliseconds between two of them."""

    connections: int
    events: int
    gap_ms: float


def measure(plan: Plan) -> Iterator[Case]:
    loads = [Load(2_000, round(20 * plan.seconds), 50), Load(15_000, round(2 * plan.seconds), 500)]
    with Stage.up(PEOPLE, 1) as stage:
        stage.hide_presence()
        tokens = stage.folder / "tokens"
        tokens.write_text("".join(f"{person.token}\n" for person in stage.people))
        frame = stage.folder / "frame"
        frame.write_bytes(_frame(stage))
        say(f"an event has {frame.stat().st_size} bytes")
        pin(stage.stack.pid("notify_server"), 0)
        for load in loads:
            if raise_open_files() < load.connections + SPARE_FILES:
                say(f"{load.connections:,} streams need more open files than this machine allows (ulimit -n)")
                continue
            yield _measure(stage, plan, load, tokens, frame)


def _measure(stage: Stage, plan: Plan, load: Load, tokens: Path, frame: Path) -> Case:
    pace = f"{1000 / load.gap_ms:.0f} events/s"
    case = Case(
        row=1,
        name=f"{load.connections:,} streams, {pace}",
        against="K, a C loop of send()",
        unit="deliveries per CPU-second",
        good=0.6,
        goal=0.8,
    )
    deliveries = load.connections * load.events
    for number in range(1, plan.rounds + 1):
        floor_cpu, floor_note = _floor(load, frame)
        our_cpu, our_note = _ours(stage, load, tokens)
        case.add(deliveries / our_cpu, deliveries / floor_cpu, f"ours {our_note}; K {floor_note}")
        say(f"{case.name}, round {number}: ours {case.ours[-1]:,.0f}, K {case.floor[-1]:,.0f} ({our_note})")
    return case


def _floor(load: Load, frame: Path) -> tuple[float, str]:
    port = free_port()
    words = [str(port), str(load.connections), str(load.events), str(load.gap_ms), str(frame)]
    with subprocess.Popen(
        [program("fanout_floor"), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sender:
        pin(sender.pid, 0)
        assert sender.stdin
        assert sender.stdout
        sender.stdout.readline()
        with _clients(port, "/", load, None) as clients:
            sender.stdin.write("go\n")
            sender.stdin.flush()
            said = sender.stdout.readline().split()
            note = _outcome(clients)
        sender.stdin.write("end\n")
        sender.stdin.close()
    return float(said[1]), note


def _ours(stage: Stage, load: Load, tokens: Path) -> tuple[float, str]:
    notify = psutil.Process(stage.stack.pid("notify_server"))
    with _clients(stage.stack.notify_port, "/events", load, tokens) as clients:
        before = _cpu(notify)
        _post_at_pace(stage, load)
        note = _outcome(clients)
        return _cpu(notify) - before, note


def _clients(port: int, path: str, load: Load, tokens: Path | None) -> "subprocess.Popen[str]":
    """Running, with all streams open."""
    words = [str(port), path, str(load.connections), str(load.events)]
    words += [str(load.events * load.gap_ms / 1000 + PATIENCE_S), *([str(tokens)] if tokens else [])]
    clients = subprocess.Popen([program("sse_clients"), *words], stdout=subprocess.PIPE, text=True)
    pin(clients.pid, 1)
    assert clients.stdout
    if clients.stdout.readline().strip() != "ready":
        raise CannotMeasure(f"{load.connections:,} streams could not be opened")
    return clients


def _outcome(clients: "subprocess.Popen[str]") -> str:
    assert clients.stdout
    words = clients.stdout.readline().split()
    if clients.wait() != 0:
        raise CannotMeasure(f"events were lost: {' '.join(words)}")
    said = dict(zip(words[::2], words[1::2], strict=True))
    return f"p50 {said['p50_ms']} ms, p99 {said['p99_ms']} ms"


def _post_at_pace(stage: Stage, load: Load) -> None:
    api = http.client.HTTPConnection("127.0.0.1", stage.stack.api_port)
    author = stage.people[0]
    begin = time.monotonic()
    for number in range(load.events):
        time.sleep(max(0.0, begin + number * load.gap_ms / 1000 - time.monotonic()))
        _post(api, author)
    api.close()


def _post(api: http.client.HTTPConnection, author: Person) -> None:
    body = json.dumps({"content": f"~{time.time_ns():019d} {PADDING}"})
    headers = {"Authorization": f"Bearer {author.token}", "Content-Type": "application/json"}
    api.request("POST", f"/api/chats/{author.chat_id}/messages", body, headers)
    answer = api.getresponse()
    if answer.status != 201:
        raise CannotMeasure(f"a post was answered {answer.status}: {answer.read(300)!r}")
    answer.read()


def _frame(stage: Stage) -> bytes:
    """One event as it goes over the wire to a client."""
    reader = stage.people[1]
    with socket.create_connection(("127.0.0.1", stage.stack.notify_port), timeout=PATIENCE_S) as stream:
        request = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {reader.token}\r\n\r\n"
        stream.sendall(request.encode())
        _read_until(stream, b"event: hello")
        api = http.client.HTTPConnection("127.0.0.1", stage.stack.api_port)
        _post(api, stage.people[0])
        api.close()
        return _read_until(stream, b"~")


def _read_until(stream: socket.socket, wanted: bytes) -> bytes:
    """The bytes that came in one piece with `wanted` in them."""
    while wanted not in (piece := stream.recv(65536)):
        if not piece:
            raise CannotMeasure("notify_server closed a stream")
    return piece


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


ROW = Row(1, "SSE deliveries per CPU-second, paced", measure)
