"""HTTP answers as bytes: problems (RFC 9457), JSON, plain text, preflights, and the heads that open streams."""

from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from fechatter.domain.errors import DomainError, Internal
from fechatter.notify.request import Request
from fechatter.problems import MEDIA_TYPE, headers_of, problem_of

_encode = msgspec.json.Encoder().encode
_EXPOSED = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"


def answer(
    request: Request, status: int, body: bytes, content_type: str, *headers: tuple[str, str], close: bool = False
) -> bytes:
    """A whole response; without its body for HEAD."""
    keep = request.keep_alive and not close
    lines = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *headers,
        *_common(request),
        ("Connection", "keep-alive" if keep else "close"),
    ]
    return _head(status, lines) + (b"" if request.method == "HEAD" else body)


def json(request: Request, status: int, value: Any) -> bytes:
    return answer(request, status, _encode(value), "application/json")


def problem(request: Request, error: Exception, *, allow: str = "", close: bool = False) -> bytes:
    """The answer to an error; anything unexpected is `internal` and tells nothing. `allow`: methods, with a 405."""
    known = error if isinstance(error, DomainError) else Internal()
    headers = headers_of(known) | ({"Allow": allow} if allow else {})
    body = _encode(problem_of(known, request.id))
    return answer(request, known.status, body, MEDIA_TYPE, *headers.items(), close=close)


def preflight(request: Request, methods: str) -> bytes:
    """The answer to OPTIONS: what the path takes, and to a permitted origin what it may send."""
    lines = [("Allow", methods), ("Content-Length", "0"), *_common(request)]
    if request.origin is not None:
        lines += [
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", "Authorization, Last-Event-ID, Cache-Control, X-Request-Id"),
            ("Access-Control-Max-Age", "600"),
        ]
    lines.append(("Connection", "keep-alive" if request.keep_alive else "close"))
    return _head(HTTPStatus.NO_CONTENT, lines[:1] + lines[2:])


def stream_head(request: Request) -> bytes:
    """The head of an event stream, which ends where the connection does."""
    return b"%bX-Request-Id: %b\r\n\r\n" % (_stream_fields(request.origin), request.id.encode("latin-1"))


@lru_cache(maxsize=64)
def _stream_fields(origin: str | None) -> bytes:
    """All but the end of the head of an event stream: the same for thousands that come back at once."""
    lines = [
        ("Content-Type", "text/event-stream; charset=utf-8"),
        ("Cache-Control", "no-cache, no-transform"),
        ("X-Accel-Buffering", "no"),
        *_for_browsers(origin),
        ("Connection", "close"),
    ]
    return _head(HTTPStatus.OK, lines).removesuffix(b"\r\n")


def switching_head(request: Request, accept_key: str) -> bytes:
    """The head that turns the connection into a WebSocket."""
    lines = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key),
        ("X-Request-Id", request.id),
    ]
    return _head(HTTPStatus.SWITCHING_PROTOCOLS, lines)


def _common(request: Request) -> list[tuple[str, str]]:
    return [("X-Request-Id", request.id), *_for_browsers(request.origin)]


def _for_browsers(origin: str | None) -> list[tuple[str, str]]:
    lines = [("X-Content-Type-Options", "nosniff"), ("Vary", "Origin")]
    if origin is not None:
        lines += [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", _EXPOSED),
        ]
    return lines


def _head(status: int, lines: list[tuple[str, str]]) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}\r\n{fields}\r\n".encode("latin-1")
