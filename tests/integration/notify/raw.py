"""Raw TCP to a server: what a client sends byte by byte, and all that comes back.

Wire          one connection
ask(…)        one request, the whole answer
metric(…)     wait for a line of /metrics
ready(…)      wait for 200 on /ready
Reply         an answer taken apart
"""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

PATIENCE_S = 30.0


class Reply(msgspec.Struct, frozen=True):
    """`headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self, code: str) -> dict[str, Any]:
        """The body of a problem+json with this code."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.headers.get("x-request-id"), self
        body = msgspec.json.decode(self.body, type=dict[str, Any])
        assert body["code"] == code, self
        assert body["status"] == self.status
        return body


class Wire:
    """One connection. Reads wait, but not for ever."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def stall(self) -> None:
        """Read nothing more from the socket."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def go_on(self) -> None:
        """Read again."""
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def reply(self) -> Reply:
        """The next whole answer."""
        head = await self.until(b"\r\n\r\n")
        status, headers = _head(head)
        async with asyncio.timeout(PATIENCE_S):
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(status, headers, body)


@asynccontextmanager
async def dial(port: int, receive_bytes: int | None = None) -> AsyncGenerator[Wire]:
    """Connect; `receive_bytes` bounds what the kernel takes in for a reader that does not read."""
    sock = socket.socket()
    if receive_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**20)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def ask(port: int, request: bytes) -> Reply:
    async with dial(port) as wire:
        await wire.send(request)
        return await wire.reply()


async def metric(port: int, line: bytes) -> None:
    """Wait until /metrics has this line."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            reply = await ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            if line in reply.body:
                return
            await asyncio.sleep(0.02)


async def ready(port: int) -> None:
    """Wait until the service says that it is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (await ask(port, b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")).status == 200:
                return
            await asyncio.sleep(0.02)


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in fields}
