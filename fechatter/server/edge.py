"""The outermost layer: a request id on every answer, security headers, an access log line, the last safety net.

Edge(app)   an ASGI app around `app`
"""

import re
import secrets
import time
from typing import Any, cast

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from fechatter.domain.errors import DomainError, Internal, UnsupportedMediaType
from fechatter.server.problems import problem_of

log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
UPLOADS = "/api/files"
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Edge:
    """Wraps the app; adds nothing to what it decides."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        cast("dict[str, Any]", scope).setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        began = time.perf_counter()
        try:
            if _has_foreign_body(scope):
                await answer.refuse(UnsupportedMediaType())
            else:
                await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            await answer.fail()
        finally:
            log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=scope["path"],
                status=answer.status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )


class _Answer:
    """Passes an answer on with our headers.

    status    of the answer, once it has begun; else 0
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                (b"x-request-id", self._request_id.encode()),
                *(header for header in _SECURITY if header[0] not in present),
            ]
        await self._send(message)

    async def fail(self) -> None:
        if not self.status:
            await self.refuse(Internal())

    async def refuse(self, error: DomainError) -> None:
        body = msgspec.json.encode(problem_of(error, self._request_id))
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(scope: HTTPScope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return secrets.token_hex(8)


def _has_foreign_body(scope: HTTPScope) -> bool:
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
    headers = dict(scope["headers"])
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    return has_body and media_type not in (b"", b"application/json") and not media_type.endswith(b"+json")
