"""The smallest client of notify_server that docs/protocol.md lets one write, on bare TCP: fast, and strict about form.

open_feed(door, …)   connect by SSE or WebSocket; Refused if the server says no, Disconnected if nothing answers
Feed.take            what came, in order: one Told each; nothing for a heartbeat
Feed.resume          ask to go on from another cursor (WebSocket)
Door                 where to go in, and how
Told                 one event as it was told
"""

import asyncio
import base64
import os
from typing import Literal
from urllib.parse import urlencode, urlsplit

import msgspec

PATIENCE_S = 20.0
LIMIT = 16 * 1024
"""Bytes that wait in this process for a reader that does not take them: twice that, then the socket is not read."""
MASK = b"\0\0\0\0"  # a mask of zeros is a mask

Way = Literal["header", "ticket", "frame"]


class Disconnected(Exception):
    """Nobody answers, or the stream ended. `code`: the close code, if one came."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class Refused(Exception):
    """The server answered, and not with a stream."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Told(msgspec.Struct):
    """The envelope. `cursor`: of the `id:` line or of the JSON."""

    type: str
    at: str
    payload: msgspec.Raw = msgspec.Raw()
    stream: str | None = None
    pos: int | None = None
    chat_id: int | None = None
    cursor: str | None = None


class Door(msgspec.Struct, frozen=True):
    """`way`: how the client says who it is; `secret`: a token, or a ticket. `in_query`: the cursor goes there."""

    url: str
    speaks_ws: bool
    way: Way
    secret: str
    in_query: bool = False


_decode = msgspec.json.Decoder(Told).decode


class Feed:
    """One open stream.

    heartbeats   how many came
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speaks_ws: bool) -> None:
        self.speaks_ws = speaks_ws
        self.heartbeats = 0
        self._reader, self._writer = reader, writer
        self._rest = b""
        self._closed: Disconnected | None = None

    async def take(self, patience_s: float) -> list[Told]:
        """What came since, at least something. Raises Disconnected, also when nothing came for so long."""
        if self._closed is not None:
            raise self._closed
        try:
            async with asyncio.timeout(patience_s):
                data = await self._reader.read(65_536)
        except TimeoutError as silence:
            raise Disconnected(f"nothing for {patience_s} s") from silence
        except OSError as error:
            raise Disconnected(repr(error)) from error
        if not data:
            raise Disconnected("the stream ended")
        self._rest += data
        return self._take_ws() if self.speaks_ws else self._take_sse()

    async def resume(self, cursor: str) -> None:
        await self.say({"type": "resume", "cursor": cursor})

    async def say(self, value: object) -> None:
        """Send a text frame."""
        try:
            self._writer.write(_frame(0x81, msgspec.json.encode(value)))
            await self._writer.drain()
        except OSError as error:
            raise Disconnected(repr(error)) from error

    def drop(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Leave politely."""
        self._writer.close()

    def _take_sse(self) -> list[Told]:
        *blocks, self._rest = self._rest.split(b"\n\n")
        told: list[Told] = []
        for block in blocks:
            if block.startswith(b":"):
                self.heartbeats += 1
                continue
            cursor = None
            if block.startswith(b"id: "):
                line, _, block = block.partition(b"\n")
                cursor = line[4:].decode()
            kind, _, data = block.partition(b"\n")
            assert kind.startswith(b"event: "), block
            assert data.startswith(b"data: "), block
            event = _decode(data[6:])
            assert event.type.encode() == kind[7:], block
            event.cursor = cursor
            told.append(event)
        return told

    def _take_ws(self) -> list[Told]:
        told: list[Told] = []
        while (found := _cut(self._rest)) is not None:
            head, data, self._rest = found
            if head == 0x88:
                self._writer.write(_frame(0x88, data[:2]))
                self._closed = Disconnected("closed", int.from_bytes(data[:2]))
                if not told:
                    raise self._closed
                return told  # what came in one piece with it is told first
            if head == 0x89:
                self._writer.write(_frame(0x8A, data))
                continue
            assert head == 0x81, f"neither text nor control: {head:#x}"
            event = _decode(data)
            if event.type == "heartbeat":
                self.heartbeats += 1
            else:
                told.append(event)
        return told


async def open_feed(door: Door, cursor: str | None = None) -> Feed:
    """Connect, and come in. The first thing to be taken is hello."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _open(door, cursor)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Disconnected(repr(error)) from error


async def _open(door: Door, cursor: str | None) -> Feed:
    address = urlsplit(door.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=LIMIT)
    try:
        writer.write(_request(door, cursor, address.netloc))
        status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
        if status != (101 if door.speaks_ws else 200):
            raise _refusal(status, await reader.readexactly(int(headers.get("content-length", "0"))))  # noqa: TRY301
        feed = Feed(reader, writer, door.speaks_ws)
        if door.way == "frame":
            await feed.say({"type": "auth", "token": door.secret} | ({"cursor": cursor} if cursor else {}))
        return feed
    except BaseException:
        writer.transport.abort()
        raise


def _refusal(status: int, body: bytes) -> Refused:
    return Refused(status, msgspec.json.decode(body, type=_Problem).code)


class _Problem(msgspec.Struct):
    code: str


def _request(door: Door, cursor: str | None, host: str) -> bytes:
    lines = [f"Host: {host}"]
    query: dict[str, str] = {}
    if door.way == "header":
        lines.append(f"Authorization: Bearer {door.secret}")
    elif door.way == "ticket":
        query["ticket"] = door.secret
    if cursor is not None and door.way != "frame":
        if door.in_query or door.speaks_ws:
            query["cursor"] = cursor
        else:
            lines.append(f"Last-Event-ID: {cursor}")
    if door.speaks_ws:
        key = base64.b64encode(os.urandom(16)).decode()
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    path = "/ws" if door.speaks_ws else "/events"
    return "\r\n".join([f"GET {path}?{urlencode(query)} HTTP/1.1", *lines, "", ""]).encode()


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in fields}


def _frame(head: int, data: bytes) -> bytes:
    """One masked frame, as clients send them."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    return bytes([head]) + length + MASK + data


def _cut(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame's head and payload, and what follows; None if it is not whole."""
    if len(data) < 2:
        return None
    size, start = data[1], 2
    if size == 126:
        size, start = int.from_bytes(data[2:4]), 4
    elif size == 127:
        size, start = int.from_bytes(data[2:10]), 10
    if len(data) < start + size or len(data) < start:
        return None
    return data[0], data[start : start + size], data[start + size :]
