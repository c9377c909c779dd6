"""The WebSocket: the same frames as JSON texts, a first frame that signs in, and `resume` at any time.

WsDoor     an open WebSocket that has not said who it is
WsStream   one that has
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from fechatter.domain.errors import DomainError, RateLimited, Unauthenticated
from fechatter.domain.people import Caller
from fechatter.notify import frames
from fechatter.notify.answers import switching_head
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.frames import Frame
from fechatter.notify.request import Request
from fechatter.notify.session import Phase, Session
from fechatter.notify.stream import LOW_WATER, House, Stream
from fechatter.notify.ws_frames import AuthFrame, BadFrame, Inbox, ResumeFrame, accept_key, close_frame

AUTH_TIMEOUT_S = 5.0
RESUMES = 10
"""A client may ask to resume so often within as many seconds."""
LINGER_S = 2.0
_NO_RESUMES: tuple[float, int] = (0.0, 0)


class WsHouse(House, Protocol):
    """The service, as the WebSocket edge sees it."""

    def verify(self, token: str) -> Caller:
        """Whom `token` names. Raises Unauthenticated."""
        ...

    def open_ws(self, door: "WsDoor", caller: Caller, token: str | None) -> None:
        """Make a stream of a door. Raises RateLimited."""
        ...


class WsDoor(asyncio.Protocol):
    """A WebSocket whose first frame must be `auth`, within 5 s."""

    def __init__(self, transport: asyncio.Transport, house: WsHouse, request: Request) -> None:
        transport.write(switching_head(request, accept_key(request)))
        self.transport = transport
        self.address = request.address
        self.inbox = Inbox()
        self._house = house
        self._cursor = request.cursor
        self._closing = False
        self._timer = asyncio.get_running_loop().call_later(AUTH_TIMEOUT_S, self.close, CloseCode.AUTH_TIMEOUT)

    def data_received(self, data: bytes) -> None:
        try:
            messages, reply = self.inbox.take(data)
            if not self._closing:
                self._answer(messages, reply)
        except BadFrame as error:
            self.close(CloseCode.BAD_FRAME, str(error))
            self.transport.write_eof()  # nothing more is looked at, a close frame neither (RFC 6455, 7.1.7)
        except Unauthenticated:
            self.close(CloseCode.UNAUTHENTICATED)
        except RateLimited:
            self.close(CloseCode.TOO_MANY)
        if self.inbox.closed:
            self._timer.cancel()
            self.transport.close()

    def enter(self, stream: "WsStream") -> None:
        """From now on the connection is `stream`'s."""
        self._timer.cancel()
        self.transport.set_protocol(stream)

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """Say why, in both ways; the connection ends with the client's close frame, or is cut."""
        if self._closing:
            return
        self._closing = True
        self._timer.cancel()
        self.transport.write(frames.goodbye(code, 0, reason).ws + close_frame(code, reason))
        asyncio.get_running_loop().call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._timer.cancel()

    def _answer(self, messages: Sequence[AuthFrame | ResumeFrame], reply: bytes) -> None:
        self.transport.write(reply)
        if self.transport.get_write_buffer_size() > LOW_WATER:
            self.transport.abort()  # it sends pings and reads nothing
        if messages:
            self._sign_in(messages)

    def _sign_in(self, messages: Sequence[AuthFrame | ResumeFrame]) -> None:
        first, *more = messages
        if not isinstance(first, AuthFrame):
            raise BadFrame("The first frame must be auth.")
        cursor = self._cursor if first.cursor is None else first.cursor
        self._house.open_ws(self, self._house.verify(first.token), cursor)
        if more and isinstance(stream := self.transport.get_protocol(), WsStream):
            stream.take(more)


class WsStream(Stream):
    """A WebSocket that events are pushed to."""

    __slots__ = ("_inbox", "_resumes", "_verify")
    speaks_ws = True

    def __init__(self, door: WsDoor, house: WsHouse, session: Session) -> None:
        super().__init__(door.transport, house, session, door.address)
        self._inbox = door.inbox
        self._verify = house.verify
        self._resumes = _NO_RESUMES
        self._mark(clear=self._clear)

    @property
    def opened(self) -> bool:
        return True

    def answer(self, error: DomainError) -> None:
        """An open WebSocket can only be told to come back."""
        self.end(CloseCode.GOING_AWAY, retry_ms=1_000)

    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None:
        self.send(b"".join([*[frame.ws for frame in frames], then]))

    def data_received(self, data: bytes) -> None:
        try:
            messages, reply = self._inbox.take(data)
        except BadFrame as error:
            self.end(CloseCode.BAD_FRAME, reason=str(error))
            self._transport.write_eof()  # nothing more is looked at, a close frame neither (RFC 6455, 7.1.7)
            return
        if not self._closing:
            if reply and not self.congested:
                self.send(reply)
            self.take(messages)
        if self._inbox.closed:
            self._transport.close()

    def take(self, messages: Sequence[AuthFrame | ResumeFrame]) -> None:
        """Do what the client asks, or end the stream if it may not."""
        try:
            for message in messages:
                self._obey(message)
        except BadFrame as error:
            self.end(CloseCode.BAD_FRAME, reason=str(error))
        except Unauthenticated:
            self.end(CloseCode.UNAUTHENTICATED)

    def _obey(self, message: AuthFrame | ResumeFrame) -> None:
        if isinstance(message, ResumeFrame):
            self._resume(message.cursor)
        elif self._verify(message.token) != self.session.caller:
            raise Unauthenticated

    def _resume(self, cursor: str) -> None:
        began, count = self._resumes
        now = time.monotonic()
        self._resumes = (began, count + 1) if now - began < RESUMES else (now, 1)
        if self._resumes[1] > RESUMES:
            raise BadFrame(f"More than {RESUMES} resume frames within {RESUMES} s.")
        self._house.paused(self)
        self.session.resume(cursor)
        if self.session.phase is Phase.WAITING:
            self._house.entered(self)

    def _close(self, code: CloseCode, reason: str | None = None) -> None:
        """The connection ends with the client's close frame; if none comes, the service cuts it."""
        self.send(close_frame(code, reason))
        self._closing = True
        self._mark(clear=False)
        self._house.ended(self, code)
