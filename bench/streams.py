"""Event streams under measurement: the clients, the floor K, and one event as it goes over the wire.

clients(…)        many streams, SSE or WebSocket, open (native/stream_clients.c)
floor(…)          CPU seconds that a C loop needs for the same events (native/fanout_floor.c)
Tokens.write(…)   people's tokens, for the clients
an_event(stage)   the bytes of an event of ours
missed(stage, …)  the bytes that a returning client gets
cpu(pid)          seconds, user and system
"""

import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from msgspec import Struct

from bench.figures import CannotMeasure
from bench.native import program
from bench.posting import Poster
from bench.stage import Person, Stage, pin
from tests.support.ports import free_port

PATIENCE_S = 30.0
SSE = "/events"
WS = "/ws"


class Load(Struct, frozen=True):
    """So many streams, events and milliseconds between two of them."""

    connections: int
    events: int
    gap_ms: float

    @property
    def deliveries(self) -> int:
        return self.connections * self.events


class Clients:
    """A program that holds streams which are all open."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def outcome(self) -> dict[str, float]:
        """Wait until everything has come. Raises CannotMeasure if something has not."""
        assert self._process.stdout
        words = self._process.stdout.readline().split()
        if self._process.wait() != 0:
            raise CannotMeasure(f"events were lost: {' '.join(words)}")
        return {name: float(figure) for name, figure in zip(words[::2], words[1::2], strict=True)}


@contextmanager
def clients(
    port: int, path: str, load: Load, tokens: Path | None = None, cursor: str | None = None
) -> Generator[Clients]:
    """Running on the second core, with all streams open. Raises CannotMeasure if they cannot be."""
    words = [str(port), path, str(load.connections), str(load.events)]
    words += [str(load.events * load.gap_ms / 1000 + PATIENCE_S), *([str(tokens)] if tokens else [])]
    words += [cursor] if cursor else []
    process = subprocess.Popen([program("stream_clients"), *words], stdout=subprocess.PIPE, text=True)
    try:
        pin(process.pid, 1)
        assert process.stdout
        if process.stdout.readline().strip() != "ready":
            raise CannotMeasure(f"{load.connections:,} streams could not be opened at {path}")
        yield Clients(process)
    finally:
        process.kill()
        process.wait()


def floor(load: Load, frame: Path) -> tuple[float, dict[str, float]]:
    """CPU seconds of K, and what its clients saw."""
    port = free_port()
    words = [str(port), str(load.connections), str(load.events), str(load.gap_ms), str(frame)]
    with native_server("fanout_floor", *words) as sender:
        assert sender.stdin
        assert sender.stdout
        with clients(port, "/", load) as streams:
            sender.stdin.write("go\n")
            sender.stdin.flush()
            said = sender.stdout.readline().split()
            seen = streams.outcome()
    return float(said[1]), seen


@contextmanager
def native_server(name: str, *words: str) -> "Generator[subprocess.Popen[str]]":
    """A C program on the first core that has said that it listens; it ends with its input."""
    with subprocess.Popen([program(name), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            pin(process.pid, 0)
            assert process.stdout
            process.stdout.readline()
            yield process
        finally:
            process.kill()


class Tokens:
    """Files with a token a line."""

    @staticmethod
    def write(path: Path, people: Sequence[Person]) -> Path:
        path.write_text("".join(f"{person.token}\n" for person in people))
        return path


def an_event(stage: Stage) -> bytes:
    """One message.created as it goes over the wire to a client."""
    with _stream(stage, stage.people[1]) as stream:
        _read_until(stream, b"event: hello", 1)
        Poster(stage).post(stage.people[0])
        return _read_until(stream, b"~", 1)


def a_cursor(stage: Stage, person: Person) -> str:
    """Where the log stands now."""
    with _stream(stage, person) as stream:
        hello = _read_until(stream, b"event: hello", 1)
    return hello.partition(b"\nid: ")[2].partition(b"\n")[0].decode() or _id_of(hello)


def missed(stage: Stage, person: Person, cursor: str, events: int) -> bytes:
    """All that a client gets that comes back with `cursor`, its head included."""
    with _stream(stage, person, cursor) as stream:
        return _read_until(stream, b"~", events)


def cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def latencies(seen: dict[str, float]) -> str:
    return f"p50 {seen['p50_ms']:.1f} ms, p99 {seen['p99_ms']:.1f} ms"


def _stream(stage: Stage, person: Person, cursor: str | None = None) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", stage.stack.notify_port), timeout=PATIENCE_S)
    resume = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
    stream.sendall(
        f"GET {SSE} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {person.token}\r\n{resume}\r\n".encode()
    )
    return stream


def _id_of(hello: bytes) -> str:
    return hello.partition(b"id: ")[2].partition(b"\n")[0].decode()


def _read_until(stream: socket.socket, wanted: bytes, times: int) -> bytes:
    """All that came until `wanted` had come so often."""
    got = b""
    while got.count(wanted) < times:
        piece = stream.recv(65536)
        if not piece:
            raise CannotMeasure("notify_server closed a stream")
        got += piece
    return got
