"""Those who send a request slowly, by accident or to hold us up, or ask for what we do not speak.

BodyInTime          an ASGI `receive` that waits only so long for a body
TimedHttpProtocol   uvicorn's protocol, with a limit on the time and size of a request's head, and no upgrades
"""

import asyncio
import time
from typing import Any

import msgspec
from litestar.types import Receive
from litestar.types.asgi_types import HTTPReceiveMessage, WebSocketReceiveMessage
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fechatter.domain.errors import InvalidRequest, RequestTimeout
from fechatter.listening import LINGER_S
from fechatter.problems import problem_of
from fechatter.server.request_ids import new_request_id

HEAD_WITHIN_S = 15.0
HEAD_BYTES = 64 * 1024
BODY_GRACE_S = 20.0
SLOWEST_BYTES_PER_S = 8 * 1024
"""What a body must come at on the whole, after the grace: an upload from a poor connection is faster."""


class BodyInTime:
    """Passes on what is received. Raises RequestTimeout when a body comes too slowly."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._waited_s = 0.0  # for the sender alone: what we take ourselves does not count
        self._received = 0
        self._is_whole = False

    async def __call__(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        if self._is_whole:
            return await self._receive()  # waits for the client to go
        left = BODY_GRACE_S + self._received / SLOWEST_BYTES_PER_S - self._waited_s
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message: Any = await self._receive()
        except TimeoutError as error:
            raise RequestTimeout from error
        self._waited_s += time.monotonic() - began
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        return message


class TimedHttpProtocol(HttpToolsProtocol):
    """A connection that must send the head of each request within HEAD_WITHIN_S and HEAD_BYTES.

    _deadline     runs while the first head is awaited, and while one is half there
    _head_bytes   of the head that is half there; -1 while none is awaited
    _gave_up      whether what comes is no longer looked at
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = -1
        self._gave_up = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._head_bytes = 0
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._gave_up:
            return
        super().data_received(data)
        if self._head_bytes >= 0:
            self._head_bytes += len(data)
            if self._deadline is None:
                self._start_waiting()
            if self._head_bytes > HEAD_BYTES and not (self._gave_up or self.transport.is_closing()):
                self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP gets a problem+json like any other fault.

        The connection is read all the same for a moment: closing before would reset it, and take the answer away.
        """
        request_id = new_request_id()
        body = msgspec.json.encode(problem_of(InvalidRequest(msg), request_id))
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
            f"x-request-id: {request_id}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.write_eof()
        self._gave_up = True
        self.loop.call_later(LINGER_S, self.transport.close)

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for a WebSocket here, or for HTTP/2, gets an answer of HTTP/1.1 (RFC 9110, 7.8): no news."""

    def _start_waiting(self) -> None:
        self._deadline = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _stop_waiting(self) -> None:
        self._head_bytes = -1
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Unless a request that came before, on the same connection, is still being answered."""
        answered = self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]
        if answered and not self.transport.is_closing():
            self.transport.close()
