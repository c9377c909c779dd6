"""Posting to fechatter_server. Each message holds the time of its post: `~` and 19 digits, in nanoseconds.

Poster.post        one post, answered
Poster.at_pace     a post every so often
burst(…)           many posts at the same moment, on connections that are open already
at_rate(…)         posts begun at a steady rate, whatever the answers take
"""

import asyncio
import http.client
import json
import time
from collections.abc import Awaitable, Callable

from bench.figures import CannotMeasure
from bench.stage import Person, Stage

PADDING = "x" * 40


def content(padding: str = PADDING) -> str:
    return f"~{time.time_ns():019d} {padding}"


class Poster:
    """One connection, one post after the other."""

    def __init__(self, stage: Stage, padding: str = PADDING) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", stage.stack.api_port)
        self._padding = padding

    def post(self, author: Person) -> None:
        body = json.dumps({"content": content(self._padding)})
        headers = {"Authorization": f"Bearer {author.token}", "Content-Type": "application/json"}
        self._http.request("POST", f"/api/chats/{author.chat_id}/messages", body, headers)
        answer = self._http.getresponse()
        if answer.status != 201:
            raise CannotMeasure(f"a post was answered {answer.status}: {answer.read(300)!r}")
        answer.read()

    def at_pace(self, author: Person, events: int, gap_ms: float) -> None:
        begin = time.monotonic()
        for number in range(events):
            time.sleep(max(0.0, begin + number * gap_ms / 1000 - time.monotonic()))
            self.post(author)


class Wire:
    """One connection of an event loop. Requests go one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, body: str, *headers: str) -> int:
        """The status of the answer."""
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await self._reader.readexactly(int(fields.get(b"content-length", b"0")))
        return int(head.split(b" ", 2)[1])

    async def post_message(self, author: Person, text: str) -> None:
        status = await self.post(
            f"/api/chats/{author.chat_id}/messages",
            json.dumps({"content": text}),
            f"Authorization: Bearer {author.token}",
            "Content-Type: application/json",
        )
        if status != 201:
            raise CannotMeasure(f"a post was answered {status}")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def burst(port: int, author: Person, count: int) -> None:
    """`count` posts at the same moment."""
    wires = await asyncio.gather(*(Wire.open(port) for _ in range(count)))
    await asyncio.gather(*(wire.post_message(author, content()) for wire in wires))
    await asyncio.gather(*(wire.close() for wire in wires))


Deliver = Callable[[Wire, str], Awaitable[None]]


async def at_rate(port: int, rate: float, seconds: float, deliver: Deliver, connections: int = 16) -> None:
    """Begin `rate` posts a second. Raises CannotMeasure when all connections are busy for long: it is too much."""
    free: asyncio.Queue[Wire] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Wire.open(port))

    async def one(wire: Wire, text: str) -> None:
        await deliver(wire, text)
        free.put_nowait(wire)

    begin = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            text = content()
            tasks.create_task(one(await free.get(), text))
    while not free.empty():
        await free.get_nowait().close()
