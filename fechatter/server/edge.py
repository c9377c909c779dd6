"""The outermost layer: a request id on every answer, security headers, CORS, what is left of a rate, HEAD, an access
log line, the last safety net.

Edge(app, origins)   an ASGI app around `app`
"""

import logging
import re
import time
from typing import Any, cast

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from fechatter import logs
from fechatter.domain.errors import DomainError, Forbidden, Internal, InvalidRequest, UnsupportedMediaType
from fechatter.domain.rates import Standing
from fechatter.server import metrics
from fechatter.server.origins import Headers, Origins
from fechatter.server.problems import problem_answer
from fechatter.server.request_ids import request_id_of
from fechatter.server.slow_senders import BodyInTime

log = logs.get(__name__)
_stdlib_log = logging.getLogger(__name__)
SLOW_S = 1.0
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?")
_MAX_PORT = 65_535
API = "/api/"
UPLOADS = "/api/files"
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# Nothing of the API is a page, and all of it is somebody's own.
_API_SECURITY = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


class Edge:
    """Wraps the app; adds nothing to what it decides."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        answer = _Answer(scope, send, request_id_of(headers), self._origins.headers_for(headers.get(b"origin", b"")))
        began = time.perf_counter()
        try:
            await self._answer(scope, headers, receive, answer)
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            await answer.fail()
        finally:
            took_s = time.perf_counter() - began
            metrics.count(scope, answer.status, took_s)
            _log_request(scope, answer, took_s)

    async def _answer(self, scope: HTTPScope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer") -> None:
        origin = headers.get(b"origin")
        if not _names_one_host(scope):
            await answer.refuse(InvalidRequest("The Host header names no host."))
        elif origin is not None and (preflight := self._origins.preflight(scope, origin)) is not None:
            await answer.let_ask(preflight)
        elif origin is not None and self._origins.is_forged(scope, headers, origin):
            await answer.refuse(Forbidden("Only the pages of this installation may sign in with its cookies."))
        elif _has_foreign_body(scope, headers):
            await answer.refuse(UnsupportedMediaType())
        else:
            await self._app(_as_get(scope), BodyInTime(receive), answer.send)


class _Answer:
    """Passes an answer on with our headers.

    status    of the answer, once it has begun; else 0
    """

    def __init__(self, scope: HTTPScope, send: Send, request_id: str, cross_origin: Headers) -> None:
        self._state = cast("dict[str, Any]", scope).setdefault("state", {})
        self._state["request_id"] = request_id
        self._state["head_only"] = self._head_only = scope["method"] == "HEAD"
        self._send = send
        self._ours: Headers = [
            *cross_origin,
            (b"x-request-id", request_id.encode()),
            *(_API_SECURITY if scope["path"].startswith(API) else []),
            *_SECURITY,
        ]
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: Headers = list(message["headers"])
            present = {name for name, _ in headers}
            for name, value in (*self._ours, *_left(self._state.get("standing"))):
                if name not in present or name == b"vary":
                    headers.append((name, value))
                    present.add(name)
            if b"allow" in present:
                headers = [(name, _with_head(value) if name == b"allow" else value) for name, value in headers]
            if self.status == 408:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        elif self._head_only and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)

    async def let_ask(self, preflight: Headers) -> None:
        await self.send({"type": "http.response.start", "status": 204, "headers": preflight})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def fail(self) -> None:
        if not self.status:
            await self.refuse(Internal())

    async def refuse(self, error: DomainError) -> None:
        status, body, headers = problem_answer(error, self.request_id)
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _as_get(scope: HTTPScope) -> HTTPScope:
    """What answers GET answers HEAD (RFC 9110, 9.3.2): the same, but for the body, which _Answer keeps back."""
    return {**scope, "method": HttpMethod.GET} if scope["method"] == "HEAD" else scope


def _with_head(allow: bytes) -> bytes:
    """The methods that an answer names, as they are from outside."""
    methods = set(allow.split(b", "))
    return b", ".join(sorted(methods | {b"HEAD"} if b"GET" in methods else methods))


def _log_request(scope: HTTPScope, answer: _Answer, took_s: float) -> None:
    """A line for what failed or took long; for the rest only at `debug`: writing it costs a third of a post."""
    level = logging.INFO if answer.status >= 500 or answer.status == 0 or took_s >= SLOW_S else logging.DEBUG
    if _stdlib_log.isEnabledFor(level):  # asked first: making the line is what costs
        log.log(
            level,
            "request",
            request_id=answer.request_id,
            method=scope["method"],
            path=scope["path"],
            status=answer.status,
            ms=round(took_s * 1000, 1),
        )


def _left(standing: Standing | None) -> Headers:
    """What is left of the rate that the request was counted against."""
    if standing is None:
        return []
    return [
        (b"x-ratelimit-limit", str(standing.rate.burst).encode()),
        (b"x-ratelimit-remaining", str(standing.remaining).encode()),
        (b"x-ratelimit-reset", str(standing.reset_s).encode()),
    ]


def _names_one_host(scope: HTTPScope) -> bool:
    """Whether addresses can be made from what the request says of our host. HTTP/1.0 may say nothing."""
    hosts = [value for name, value in scope["headers"] if name == b"host"] or [b""]
    match = _HOST.fullmatch(hosts[0])
    return len(hosts) == 1 and (hosts[0] == b"" or (match is not None and int(match[1] or 0) <= _MAX_PORT))


def _has_foreign_body(scope: HTTPScope, headers: dict[bytes, bytes]) -> bool:
    """Whether the API is sent something that says of itself that it is not JSON.

    A page of another origin can send forms and plain text without asking first, JSON it cannot (CORS preflight). An
    upload is a form, but takes a bearer token, which no page of another origin has.
    """
    if (
        scope["method"] not in ("POST", "PUT", "PATCH")
        or not scope["path"].startswith("/api/")
        or scope["path"] == UPLOADS
    ):
        return False
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    return has_body and media_type not in (b"", b"application/json") and not media_type.endswith(b"+json")
