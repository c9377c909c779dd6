"""The short way for messages that are posted as they should be: past the framework, which costs more than the post.

QuickPost   an ASGI app around the framework's app

What is not plainly a post (another route, a parameter, a body that does not fit, a token that is not good) goes to the
framework unchanged, with what was read of it: so every refusal is worded, ordered and documented in one place, at the
route itself (routes/messages.py). What remains to be refused here is only what the post itself finds out.
"""

import re
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from fechatter import logs
from fechatter.domain.errors import DomainError, Internal
from fechatter.domain.messages import Draft
from fechatter.domain.people import Caller
from fechatter.server.context import Context
from fechatter.server.problems import problem_answer, tell_why

_PATH = re.compile(r"/api/chats/([1-9][0-9]{0,17})/messages")
TEMPLATE = "/api/chats/{chat_id}/messages"
_decode = msgspec.json.Decoder(Draft).decode
_encode = msgspec.json.Encoder().encode
_Headers = list[tuple[bytes, bytes]]

log = logs.get(__name__)


class QuickPost:
    """Takes posts; leaves everything else to `app`. `context` is called once the life-span has begun."""

    def __init__(self, app: ASGIApp, context: Callable[[], Context]) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chat_id = _chat_posted_to(scope)
        if chat_id is None:
            await self._app(scope, receive, send)
            return
        http, context = cast("HTTPScope", scope), self._context()
        body = _Body(receive)
        try:
            caller = _caller_of(http, context)  # first: nothing is kept for whoever has no good token
            draft = None if caller is None else await _draft_of(http, context, body)
            if caller is not None and draft is not None:
                _admit(http, context, caller)
        except (DomainError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            draft = caller = None
        if draft is None or caller is None:
            await self._app(scope, body.receive, send)
            return
        cast("dict[str, Any]", scope)["path_template"] = TEMPLATE
        await _respond(send, *await _post(http, context, caller, chat_id, draft))


def _chat_posted_to(scope: Scope) -> int | None:
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    match = _PATH.fullmatch(scope["path"])
    return int(match[1]) if match else None


class _Body:
    """The body of a request, read whole, and passed on to somebody else who reads it again.

    It is kept as one piece: in a thousand it would take hundreds of times its size.

    _whole   whether its end has come
    _left    what came instead of the end
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = bytearray()
        self._whole = False
        self._left: Any = None

    async def read(self) -> bytearray | None:
        """All of it; None if the client is gone."""
        while not self._whole:
            message: Any = await self._receive()
            if message["type"] != "http.request":
                self._left = message
                return None
            self._bytes += message.get("body", b"")
            self._whole = not message.get("more_body", False)
        return self._bytes

    async def receive(self) -> Any:
        """What was read, then what comes."""
        if self._bytes or self._whole:
            body, whole = bytes(self._bytes), self._whole
            self._bytes, self._whole = bytearray(), False
            return {"type": "http.request", "body": body, "more_body": not whole}
        left, self._left = self._left, None
        return left or await self._receive()


def _caller_of(scope: HTTPScope, context: Context) -> Caller | None:
    """Whom the bearer token names. Raises DomainError."""
    scheme, _, token = _header(scope, b"authorization").partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        return None
    return context.tokens.verify(token.decode("latin-1").strip(), time.time())


async def _draft_of(scope: HTTPScope, context: Context, body: _Body) -> Draft | None:
    """The draft in the body, if its size was announced and it keeps the limits."""
    limits = context.settings.limits
    size = _header(scope, b"content-length")
    if not size.isdigit() or int(size) > limits.body_bytes or _header(scope, b"transfer-encoding"):
        return None
    if (text := await body.read()) is None:
        return None
    draft = _decode(text)
    draft.check(limits.content_chars, limits.files_per_message)
    return draft


def _admit(scope: HTTPScope, context: Context, caller: Caller) -> None:
    """Count the post against the caller's rate. Raises RateLimited, with nothing counted."""
    scope["state"]["standing"] = context.limits.spend("post", caller.user_id)
    context.activity.note(caller, None)


async def _post(
    scope: HTTPScope, context: Context, caller: Caller, chat_id: int, draft: Draft
) -> tuple[int, bytes, _Headers]:
    """The answer. As at the route: 201 when the message was made now, 200 with the first one for a retry."""
    try:
        message, is_new = await context.posting.post(caller, chat_id, draft)
    except DomainError as error:
        tell_why(error, "POST", scope["path"])
        return problem_answer(error, scope["state"]["request_id"])
    except Exception:
        log.exception("request failed", path=scope["path"], method="POST")
        return problem_answer(Internal(), scope["state"]["request_id"])
    return 201 if is_new else 200, _encode(message), [(b"content-type", b"application/json")]


async def _respond(send: Send, status: int, body: bytes, headers: _Headers) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _header(scope: HTTPScope, name: bytes) -> bytes:
    """The first of this name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return b""
