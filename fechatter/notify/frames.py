"""What goes over the wire, encoded once for all receivers.

Frame               an event with the bytes of both edges, each made when first asked for
ephemeral           news that is not in the log
hello, resync, goodbye, heartbeat    frames of the server's own
Parcel              several frames in one write, joined once for all receivers that get the same ones
"""

from datetime import UTC, datetime
from typing import Any, Self, cast

import msgspec

from fechatter.domain.events import Envelope, EventType, Goodbye, Hello, ResyncRequired
from fechatter.domain.people import Caller
from fechatter.notify.close_codes import CloseCode
from fechatter.store.log.replay import LoggedEvent

SSE_HEARTBEAT = b": heartbeat\n\n"
_encode = msgspec.json.Encoder().encode


class _Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of what belongs to no stream."""

    type: EventType
    at: datetime
    payload: Hello | ResyncRequired | Goodbye


class _Ephemeral(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    stream: str | msgspec.UnsetType
    chat_id: int | msgspec.UnsetType
    at: datetime
    payload: msgspec.Raw


class _Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "heartbeat"
    at: datetime


class Frame:
    """One event as it is sent. The JSON is encoded once, the frame around it once for each edge that needs it."""

    __slots__ = ("_json", "_sse", "_ws", "cursor", "type")

    def __init__(self, type_: str, json: bytes, cursor: str | None) -> None:
        self.type = type_
        self.cursor = cursor
        self._json = json
        self._sse: bytes | None = None
        self._ws: bytes | None = None

    @classmethod
    def of(cls, event: LoggedEvent, cursor: str) -> Self:
        """The frame of a logged event; `cursor` is what its receivers may resume from."""
        return cls(event.type, _encode_event(event), cursor)

    @property
    def size(self) -> int:
        """About how many bytes it takes on the wire."""
        return len(self._json) + 64

    @property
    def sse(self) -> bytes:
        """`id`, `event` and `data` lines and an empty one."""
        if self._sse is None:
            id_line = b"" if self.cursor is None else b"id: %b\n" % self.cursor.encode()
            self._sse = b"%bevent: %b\ndata: %b\n\n" % (id_line, self.type.encode(), self._json)
        return self._sse

    @property
    def ws(self) -> bytes:
        """An unmasked text frame with the same JSON, the cursor in it."""
        if self._ws is None:
            self._ws = text_frame(self.text)
        return self._ws

    @property
    def text(self) -> bytes:
        """The JSON with the cursor in it."""
        if self.cursor is None:
            return self._json
        return b'%b,"cursor":"%b"}' % (self._json[:-1], self.cursor.encode())


def ephemeral(type_: str, stream: str | None, payload: bytes) -> Frame:
    """News without a place in the log. `stream`: whose it is, if it is one's."""
    kind, _, id_ = (stream or "").partition(":")
    envelope = _Ephemeral(
        type=type_,
        at=datetime.now(UTC),
        payload=msgspec.Raw(payload),
        stream=stream or msgspec.UNSET,
        chat_id=int(id_) if kind == "chat" else msgspec.UNSET,
    )
    return Frame(type_, _encode(envelope), None)


def hello(caller: Caller, cursor: str, heartbeat_s: float) -> Frame:
    payload = Hello(user_id=caller.user_id, session_id=caller.session_id, cursor=cursor, heartbeat_s=heartbeat_s)
    return _notice(EventType.HELLO, payload, cursor)


def resync(reason: str, cursor: str) -> Frame:
    return _notice(EventType.RESYNC_REQUIRED, ResyncRequired(reason=reason, cursor=cursor), cursor)


def goodbye(code: CloseCode, retry_ms: int, reason: str | None = None) -> Frame:
    payload = Goodbye(code=code, reason=reason or code.reason, reconnect=code.reconnect, retry_ms=retry_ms)
    return _notice(EventType.GOODBYE, payload, None)


def heartbeat() -> bytes:
    """The WebSocket's heartbeat, for all connections of this moment."""
    return text_frame(_encode(_Heartbeat(at=datetime.now(UTC))))


def text_frame(text: bytes) -> bytes:
    """`text` as one unmasked, uncompressed WebSocket text frame (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), text)


class Parcel:
    """What one receiver gets in one write. Receivers of the same frames share one parcel and its joined bytes."""

    __slots__ = ("_chain", "_next", "_sse", "_ws")

    def __init__(self, chain: "_Chain | None" = None) -> None:
        self._chain = chain
        self._next: dict[int, Parcel] = {}
        self._sse: bytes | None = None
        self._ws: bytes | None = None

    def with_(self, frame: Frame) -> "Parcel":
        """This parcel with one frame more; the same object for the same frame."""
        longer = self._next.get(id(frame))
        if longer is None:
            longer = self._next[id(frame)] = Parcel((self._chain, frame))
        return longer

    @property
    def sse(self) -> bytes:
        if self._sse is None:
            self._sse = b"".join([frame.sse for frame in self._frames()])
        return self._sse

    @property
    def ws(self) -> bytes:
        if self._ws is None:
            self._ws = b"".join([frame.ws for frame in self._frames()])
        return self._ws

    def _frames(self) -> list[Frame]:
        frames: list[Frame] = []
        chain = self._chain
        while chain is not None:
            chain, frame = chain
            frames.append(frame)
        return frames[::-1]


# Frames from the last to the first. Parcels refer to chains, never chains to parcels: no cycles to collect.
_Chain = tuple["_Chain | None", Frame]


def _notice(type_: EventType, payload: Hello | ResyncRequired | Goodbye, cursor: str | None) -> Frame:
    return Frame(type_, _encode(_Notice(type=type_, at=datetime.now(UTC), payload=payload)), cursor)


def _encode_event(event: LoggedEvent) -> bytes:
    payload: Any = event.payload
    if isinstance(payload, bytes):
        # A line break can stand only between JSON's tokens; in an SSE data line it would end the line.
        payload = msgspec.Raw(payload.replace(b"\n", b" ").replace(b"\r", b" "))
    return _encode(
        Envelope(
            type=cast("EventType", event.type),  # one of a newer release goes through as it is
            stream=event.stream,
            pos=event.pos,
            chat_id=event.chat_id,
            at=event.at,
            payload=payload,
        )
    )
