"""HTTP/1.1 on one connection: reads heads, answers requests in order, and hands event streams over to their edge.

HttpConnection   an asyncio protocol around httptools
Site             what answers the requests
"""

import asyncio
from collections import deque
from typing import Protocol, cast

import httptools

from fechatter.domain.errors import DomainError, HeadTooLarge, InvalidRequest, RequestTimeout, TooLarge
from fechatter.listening import IDLE_S, LINGER_S
from fechatter.notify.answers import problem
from fechatter.notify.request import Origins, Proxies, Request, parse_query, request_id

HEAD_BYTES = 16 * 1024
BODY_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 10.0
_QUEUE = 16
"""Pipelined requests that may wait for their turn."""


class Site(Protocol):
    """Answers requests."""

    proxies: Proxies
    origins: Origins

    def opened(self, connection: "HttpConnection") -> None: ...

    def closed(self, connection: "HttpConnection") -> None: ...

    def answer(self, request: Request, connection: "HttpConnection") -> bytes | None:
        """The response, or None if the connection is handed over or answered later."""
        ...


class HttpConnection(asyncio.Protocol):
    """One connection until it closes or becomes a stream.

    transport   asyncio's
    deadline    on the loop's clock: when the connection is given up for being slow or idle
    rest        what came after the head of a request that asks for another protocol
    """

    def __init__(self, site: Site) -> None:
        self.transport = cast("asyncio.Transport", None)
        self.deadline = 0.0
        self._site = site
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._requests: deque[Request] = deque()
        self._answering = False
        self._blocked = False
        self._gave_up = False
        self._peer = ""
        self.rest = b""
        self._completed = False  # whether a request was completed by what is being parsed
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        peer = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
        self._peer = peer[0] if peer else ""  # it may be gone already
        self.deadline = self._loop.time() + HEAD_TIMEOUT_S
        self._site.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._requests.clear()
        self._site.closed(self)

    def eof_received(self) -> bool:
        """A client that has sent its last request still gets the answer."""
        return self._answering

    def pause_writing(self) -> None:
        """A client that does not read its answers gets no more of them."""
        self._blocked = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._blocked = False
        if not self.transport.is_closing():
            self._answer_next()

    def data_received(self, data: bytes) -> None:
        if self._gave_up:
            return
        self._completed = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.rest = data[upgrade.args[0] :]
        except (httptools.HttpParserError, httptools.HttpParserInvalidMethodError) as error:
            self._give_up(error.__context__ if isinstance(error.__context__, DomainError) else _BAD)
            return
        if self._in_head and not self._completed:
            self._fed += len(data)
            if self._fed > HEAD_BYTES:
                self._give_up(_HUGE_HEAD)
                return
        if len(self._requests) > _QUEUE:
            self.transport.pause_reading()
        self._answer_next()

    def handed_over(self) -> None:
        """The connection belongs to a stream from now on."""
        del self._parser  # it refers back to this: no work for the collector when thousands come at once
        self._requests.clear()
        self._site.closed(self)

    def respond(self, response: bytes, request: Request) -> None:
        """Answer the request whose turn it is."""
        self.transport.write(response)
        self._answering = False
        if not request.keep_alive:
            self.transport.close()
            return
        self.deadline = self._loop.time() + IDLE_S
        self._answer_next()

    def expire(self) -> None:
        """The deadline has come: say so to a client in the middle of a request, and close."""
        if self._blocked or self.transport.is_closing():
            self.transport.abort()
        elif self._in_message and not self._gave_up:
            self._give_up(_SLOW)
        else:
            self.transport.close()

    def _answer_next(self) -> None:
        while self._requests and not (self._answering or self._blocked or self.transport.is_closing()):
            request = self._requests.popleft()
            self._answering = True
            response = self._site.answer(request, self)
            if response is not None:
                self.respond(response, request)
        if not (self._requests or self._blocked or self.transport.is_closing() or self.transport.is_reading()):
            self.transport.resume_reading()

    def _give_up(self, error: DomainError) -> None:
        """Answer with a problem and close: what follows on the connection cannot be understood.

        It is read all the same for a moment: closing before would reset the connection, and the answer with it.
        """
        self._requests.clear()
        if self._answering:
            self.transport.close()
            return
        self._gave_up = True
        self.deadline = self._loop.time() + LINGER_S
        request = Request("", "", {}, {}, False, self._peer, request_id({}))
        self.transport.write(problem(request, error, close=True))
        self.transport.write_eof()

    # What httptools calls while it parses.

    def on_message_begin(self) -> None:
        self._begin()
        self._in_message = self._in_head = True
        if not self._answering:
            self.deadline = self._loop.time() + HEAD_TIMEOUT_S

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())

    def on_headers_complete(self) -> None:
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if self._body > BODY_BYTES:
            raise TooLarge("No request to this service has a body.")

    def on_message_complete(self) -> None:
        self._in_message = False
        self._completed = True
        self._requests.append(self._request())

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._in_message = self._in_head = False
        self._size = self._fed = self._body = 0  # of the head as parsed, the head as it came, and the body

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > HEAD_BYTES:
            raise _HUGE_HEAD

    def _request(self) -> Request:
        if self._parser.get_http_version() == "1.1" and "host" not in self._headers:
            raise InvalidRequest("The Host header is missing.")
        try:
            url = httptools.parse_url(self._url)
            query = parse_query((url.query or b"").decode("ascii"))
            path = (url.path or b"/").decode("ascii")
        except (httptools.HttpParserInvalidURLError, ValueError) as error:
            raise InvalidRequest("The address is not valid.") from error
        origin = self._headers.get("origin")
        allowed = origin is not None and self._site.origins.allow(origin, self._headers.get("host", ""))
        return Request(
            method=self._parser.get_method().decode("ascii"),
            path=path,
            query=query,
            headers=self._headers,
            keep_alive=self._parser.should_keep_alive() and not self._parser.should_upgrade(),
            address=self._site.proxies.client(self._peer, self._headers.get("x-forwarded-for", "")),
            id=request_id(self._headers),
            origin=origin if allowed else None,
        )


_BAD = InvalidRequest("This is not an HTTP/1.1 request.")
_HUGE_HEAD = HeadTooLarge(f"The request's head is larger than {HEAD_BYTES} bytes.")
_SLOW = RequestTimeout("The request did not arrive in time.")
