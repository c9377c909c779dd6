"""A strict client of notify_server's SSE: each frame must have the form of the contract, each stream no gap.

listen(url, …)     an open EventStream; Refused if the server says no
EventStream.next   the next event that is kept; heartbeats and ephemera in between are set aside
EventStream.until  read on until an event fits
Event              one frame: the envelope, its cursor, and the bytes it came as
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import httpx2
import msgspec

from tests.clients.api import Answer
from tests.clients.shapes import Hello

T = TypeVar("T")

PATIENCE_S = 30.0
EPHEMERAL = {"typing", "presence.changed", "receipt.updated"}
OWN = {"hello", "goodbye", "resync_required"}


class Refused(Exception):
    """The stream was not opened; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.request}: {answer.status} {answer.body[:300]!r}")
        self.answer = answer


class Disconnected(Exception):
    """The stream ended, or the server cannot be reached."""


class Envelope(msgspec.Struct, frozen=True):
    """The JSON of a frame."""

    type: str
    at: datetime
    payload: msgspec.Raw
    stream: str | None = None
    pos: int | None = None
    chat_id: int | None = None


class Event(msgspec.Struct, frozen=True):
    """One frame. `cursor` is its id."""

    envelope: Envelope
    cursor: str | None
    raw: bytes

    @property
    def kind(self) -> str:
        return self.envelope.type

    @property
    def place(self) -> tuple[str, int]:
        """(stream, pos) of an event that is in the log."""
        assert self.envelope.stream, self.raw
        assert self.envelope.pos, self.raw
        return self.envelope.stream, self.envelope.pos

    def payload(self, type_: type[T]) -> T:
        return msgspec.json.decode(self.envelope.payload, type=type_)


class EventStream:
    """One open stream.

    events       all that came, in order, but for
    ephemera     what is told once and not kept: who types, who is there
    heartbeats   how many comment lines came
    positions    the last pos of each stream on this connection
    """

    def __init__(self, response: httpx2.Response) -> None:
        self.events: list[Event] = []
        self.ephemera: list[Event] = []
        self.heartbeats = 0
        self.positions: dict[str, int] = {}
        self._blocks = _blocks(response.aiter_raw())

    @property
    def cursor(self) -> str:
        """Where a later connection resumes."""
        return next(event.cursor for event in reversed(self.events) if event.cursor is not None)

    async def next(self, patience_s: float = PATIENCE_S) -> Event:
        """The next event that is kept.

        Raises Disconnected when the stream ends, TimeoutError, or AssertionError for a bad frame.
        """
        async with asyncio.timeout(patience_s):
            while (event := await self._any()).kind in EPHEMERAL:
                pass
        return event

    async def hello(self) -> Hello:
        """The first event, which must be a hello with its own cursor."""
        event = await self.next()
        assert event.kind == "hello", event.raw
        hello = event.payload(Hello)
        assert hello.cursor == event.cursor
        return hello

    async def until(self, fits: Callable[[Event], bool], what: str) -> Event:
        """Read on until an event fits, ephemeral or not; what came before it is in `events` and `ephemera`."""
        try:
            while True:
                async with asyncio.timeout(PATIENCE_S):
                    event = await self._any()
                if fits(event):
                    return event
        except TimeoutError as nothing:
            raise AssertionError(f"{what} did not come; came: {[event.raw for event in self.events]}") from nothing

    async def heartbeat(self) -> None:
        """Return when one has come. An event that comes instead, other than an ephemeral one, breaks the test."""
        async with asyncio.timeout(PATIENCE_S):
            while (event := _parse(await self._next_block())) is not None:
                assert event.kind in EPHEMERAL, event.raw
        self.heartbeats += 1

    async def message(self, content: str) -> Event:
        """The message.created of the message with this content."""
        quoted = msgspec.json.encode(content)
        return await self.until(
            lambda event: event.kind == "message.created" and quoted in bytes(event.envelope.payload),
            repr(content[:80]),
        )

    async def _any(self) -> Event:
        while (event := _parse(await self._next_block())) is None:
            self.heartbeats += 1
        self._check(event)
        (self.ephemera if event.kind in EPHEMERAL else self.events).append(event)
        return event

    async def _next_block(self) -> bytes:
        try:
            return await anext(self._blocks)
        except StopAsyncIteration as end:
            raise Disconnected("the stream ended") from end
        except httpx2.TransportError as problem:
            raise Disconnected(repr(problem)) from problem

    def _check(self, event: Event) -> None:
        """Envelopes have a place, and on one connection each stream goes on by one, from wherever it began."""
        assert self.events or event.kind == "hello", f"the first event is {event.kind}"
        if event.kind in OWN | EPHEMERAL:
            assert event.envelope.pos is None, event.raw
            assert (event.cursor is None) == (event.kind in EPHEMERAL | {"goodbye"}), event.raw
            return
        stream, pos = event.place
        assert event.cursor, event.raw
        before = self.positions.get(stream)
        assert before is None or pos == before + 1, f"{stream}: {before} is followed by {pos}"
        self.positions[stream] = pos


@asynccontextmanager
async def listen(
    url: str,
    *,
    token: str | None = None,
    ticket: str | None = None,
    cursor: str | None = None,
    last_event_id: str | None = None,
    path: str = "/events",
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[EventStream]:
    """Open a stream. Raises Refused for an answer other than 200, Disconnected if there is none."""
    sent = {"Accept": "text/event-stream", **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if last_event_id is not None:
        sent["Last-Event-ID"] = last_event_id
    query = {key: value for key, value in {"ticket": ticket, "cursor": cursor}.items() if value is not None}
    timeout = httpx2.Timeout(PATIENCE_S, read=None)
    async with httpx2.AsyncClient(base_url=url, timeout=timeout) as client:
        try:
            async with asyncio.timeout(PATIENCE_S):
                request = client.build_request("GET", path, params=query, headers=sent)
                response = await client.send(request, stream=True)
        except httpx2.TransportError as problem:
            raise Disconnected(repr(problem)) from problem
        try:
            if response.status_code != 200:
                await response.aread()
                raise Refused(Answer(response))
            assert response.headers["content-type"].startswith("text/event-stream"), response.headers
            assert "no-" in response.headers["cache-control"], response.headers
            yield EventStream(response)
        finally:
            await response.aclose()


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The stream cut at its blank lines."""
    buffer = b""
    async for chunk in chunks:
        buffer += chunk
        *whole, buffer = buffer.split(b"\n\n")
        for block in whole:
            yield block


def _parse(block: bytes) -> Event | None:
    """A frame of id, event and data in this order, each one line; None for a comment."""
    assert b"\r" not in block, block
    if all(line.startswith(b":") for line in block.split(b"\n")):
        return None
    fields = [line.partition(b": ") for line in block.split(b"\n")]
    names = [name for name, _, _ in fields]
    assert names in ([b"id", b"event", b"data"], [b"event", b"data"]), block
    values = {name: value for name, _, value in fields}
    envelope = msgspec.json.decode(values[b"data"], type=Envelope)
    assert envelope.type == values[b"event"].decode(), block
    cursor = values[b"id"].decode() if b"id" in values else None
    return Event(envelope, cursor, block)
