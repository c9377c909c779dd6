"""What the short way of a post keeps of a request, and hands on when the framework is to answer it."""

import time
from types import SimpleNamespace
from typing import Any, cast

from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.server.context import Context
from fechatter.server.quick_post import QuickPost

PIECES = [b"{", *(b" " for _ in range(1_000)), b"no JSON"]
TOKENS = Tokens(b"k" * 32, "fechatter", 60)


async def test_a_body_in_many_pieces_is_handed_on_as_one() -> None:
    """A megabyte in single bytes would else be kept as a million messages, of some hundred bytes each."""
    token = TOKENS.issue(1, 1, time.time())
    handed_on = await _handed_on(f"Bearer {token}".encode(), PIECES)
    assert handed_on == [_piece(b"".join(PIECES), more=False), {"type": "http.disconnect"}]


async def test_without_a_good_token_nothing_is_read() -> None:
    handed_on = await _handed_on(b"Bearer none", PIECES)
    assert [each.get("body") for each in handed_on] == [*PIECES, None]


async def test_what_a_client_sent_before_it_left_is_handed_on_before_that() -> None:
    token = TOKENS.issue(1, 1, time.time())
    handed_on = await _handed_on(f"Bearer {token}".encode(), PIECES, whole=False)
    assert handed_on == [_piece(b"".join(PIECES), more=True), {"type": "http.disconnect"}]


async def _handed_on(authorization: bytes, pieces: list[bytes], *, whole: bool = True) -> list[dict[str, Any]]:
    """What the framework receives, up to the client's going."""
    coming = [_piece(piece, more=not whole or at < len(pieces)) for at, piece in enumerate(pieces, 1)]
    coming.append({"type": "http.disconnect"})
    got: list[dict[str, Any]] = []

    async def receive() -> Any:
        return coming.pop(0)

    async def framework(_scope: object, receive: Any, _send: object) -> None:
        while not got or got[-1]["type"] == "http.request":
            got.append(await receive())

    async def send(_message: object) -> None:
        raise AssertionError("the short way has answered")

    context = cast("Context", SimpleNamespace(settings=Settings(), tokens=TOKENS))
    size = str(sum(map(len, pieces))).encode()
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/api/chats/1/messages",
        "query_string": b"",
        "headers": [(b"authorization", authorization), (b"content-length", size)],
    }
    await QuickPost(cast("Any", framework), lambda: context)(scope, receive, send)
    return got


def _piece(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}
