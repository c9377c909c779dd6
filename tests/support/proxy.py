"""A TCP proxy that misbehaves on demand: networks as they are.

Proxy.open       listens on a free port of 127.0.0.1 and passes on to a target
Proxy.cut        break all connections off (a reset), or one in so many
Proxy.half_close end the direction to the client, as a peer that shuts its sending side
Proxy.slow       from now on, hold back what comes, or let it trickle
Proxy.swallow    from now on, take everything and pass on nothing: neither an answer nor an error
Proxy.heal       be an ordinary proxy again; what was swallowed stays lost, so those connections are cut
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Self
from weakref import WeakSet

from tests.support.ports import free_port

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Target = Callable[[], Coroutine[object, object, Pair]]
CHUNK = 64 * 1024
TRICKLE_BYTES = 512


class Proxy:
    """One listening port.

    port        where clients connect
    passed      how many bytes went through, both ways
    """

    def __init__(self, target: Target) -> None:
        self.port = free_port()
        self.passed = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._pipes: set[_Pipe] = set()
        self._delay_s = 0.0
        self._trickles = False
        self._open = asyncio.Event()
        self._open.set()
        self._swallowed = False
        self._half_closed: WeakSet[asyncio.StreamWriter] = WeakSet()

    @classmethod
    async def open(cls, target: Target) -> Self:
        proxy = cls(target)
        proxy._server = await asyncio.start_server(proxy._serve, "127.0.0.1", proxy.port)
        return proxy

    def cut(self, one_in: int = 1) -> int:
        """How many were cut."""
        cut = list(self._pipes)[::one_in]
        for pipe in cut:
            pipe.cut()
        return len(cut)

    def half_close(self) -> None:
        for pipe in list(self._pipes):
            self._half_closed.add(pipe.near)
            pipe.half_close()

    def slow(self, delay_s: float, *, trickles: bool = False) -> None:
        self._delay_s, self._trickles = delay_s, trickles

    def swallow(self) -> None:
        self._open.clear()
        self._swallowed = True

    def heal(self) -> None:
        self._delay_s, self._trickles = 0.0, False
        if self._swallowed:
            self.cut()
        self._swallowed = False
        self._open.set()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._open.set()
        while self._pipes:
            self.cut()
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = _Pipe(writer)
        self._pipes.add(pipe)
        try:
            far_reader, far_writer = await self._target()
            pipe.far = far_writer
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (OSError, _Ended):
            pass  # the other side is away: the client learns it by the end of its connection
        finally:
            pipe.cut()
            self._pipes.discard(pipe)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(TRICKLE_BYTES if self._trickles else CHUNK):
            await self._open.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            if writer.transport.is_closing() or writer in self._half_closed:
                raise _Ended
            writer.write(data)
            self.passed += len(data)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()


class _Ended(Exception):
    """Nothing more can be passed on in this direction."""


class _Pipe:
    """One client's connection and the one that was opened for it."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None

    def cut(self) -> None:
        self.near.transport.abort()
        if self.far is not None:
            self.far.transport.abort()

    def half_close(self) -> None:
        with suppress(OSError, RuntimeError):
            self.near.write_eof()


def to_port(port: int) -> Target:
    """A server on this machine."""

    async def connect() -> Pair:
        return await asyncio.open_connection("127.0.0.1", port)

    return connect


def to_socket(path: str) -> Target:
    """A unix socket."""

    async def connect() -> Pair:
        return await asyncio.open_unix_connection(path)

    return connect
