"""HTTP on notify_server's port: routes, errors, CORS, and requests as no good client sends them."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.integration.notify.raw import ask, dial, metric
from tests.integration.notify.town import Town

HOST = b"Host: chat.example\r\n"


def request(line: bytes, *headers: bytes) -> bytes:
    return line + b" HTTP/1.1\r\n" + HOST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


async def test_operators_routes_answer_without_a_token(town: Town) -> None:
    port = town.server.port
    assert (await ask(port, request(b"GET /health"))).body == b'{"status":"ok"}'
    assert (await ask(port, request(b"GET /ready"))).status == 200
    metrics = await ask(port, request(b"GET /metrics"))
    assert b"fechatter_notify_streams" in metrics.body
    head = b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with dial(port) as wire:
        await wire.send(head)
        assert (await wire.rest()).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b"GET /nowhere", 404, "not_found"),
        (b"POST /events", 405, "method_not_allowed"),
        (b"HEAD /events", 405, "method_not_allowed"),
        (b"DELETE /health", 405, "method_not_allowed"),
        (b"GET /events", 401, "unauthenticated"),
        (b"GET /events?token=abc", 401, "unauthenticated"),
        (b"GET /events?access_token=abc", 401, "unauthenticated"),
        (b"GET /events?ticket=abc", 401, "unauthenticated"),
        (b"GET /events?" + b"&".join(b"a%d=1" % n for n in range(50)), 400, "invalid_request"),
        (b"GET /ws", 426, "invalid_request"),
    ],
)
async def test_what_is_not_served_is_a_problem_with_a_code(town: Town, line: bytes, status: int, code: str) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(request(line, b"X-Request-Id: my-id", b"Connection: close"))
        raw = await wire.rest()
    assert raw.startswith(b"HTTP/1.1 %d " % status), raw
    assert (b'"code":"%b"' % code.encode() in raw) or line.startswith(b"HEAD"), raw
    if status != 400:
        assert b"X-Request-Id: my-id\r\n" in raw


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "", "Bearer", "x" * 9_000])
async def test_a_bad_token_is_401_before_any_stream_opens(town: Town, token: str) -> None:
    reply = await ask(town.server.port, request(b"GET /events", b"Authorization: Bearer " + token.encode()))
    assert reply.status == 401
    reply.problem("unauthenticated")
    assert reply.headers["www-authenticate"] == 'Bearer realm="fechatter"'


async def test_a_head_may_come_in_pieces(town: Town) -> None:
    async with dial(town.server.port) as wire:
        for byte in request(b"GET /health"):
            await wire.send(bytes([byte]))
        assert (await wire.reply()).status == 200


async def test_pipelined_requests_are_answered_in_order(town: Town) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(b"".join(request(b"GET /" + path) for path in (b"health", b"nowhere", b"ready", b"nope") * 10))
        statuses = [(await wire.reply()).status for _ in range(40)]
    assert statuses == [200, 404, 200, 404] * 10


async def test_a_head_that_is_too_large_is_431(town: Town) -> None:
    for head in (
        request(b"GET /health", b"X-Long: " + b"x" * 20_000),
        request(b"GET /" + b"x" * 20_000),
        request(b"GET /health", *[b"X-%d: y" % n for n in range(3_000)]),
        b"GET /health HTTP/1.1\r\nX-Endless: " + b"x" * 70_000,
    ):
        async with dial(town.server.port) as wire:
            await wire.send(head)
            reply = await wire.reply()
            assert await wire.rest() == b""
        assert reply.status == 431
        reply.problem("too_large")


async def test_who_goes_on_sending_after_the_refusal_can_still_read_it(town: Town) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(b"GET /health HTTP/1.1\r\nX-Endless: " + b"x" * 70_000)
        refused = await wire.until(b"}")
        for _ in range(20):
            await wire.send(b"x" * 100_000)
        assert await wire.rest() == b""
    assert refused.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"HELO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_what_is_not_http_is_answered_400_and_closed(town: Town, garbage: bytes) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(garbage)
        assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")


async def test_a_body_that_nobody_asked_for_is_bounded(town: Town) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(request(b"POST /health", b"Content-Length: 10000000") + b"x" * 100_000)
        reply = await wire.reply()
    assert reply.status == 413
    reply.problem("too_large")


async def test_a_slow_head_is_given_up(town: Town) -> None:
    async with dial(town.server.port) as wire:
        await wire.send(b"GET /health HTTP/1.1\r\nHo")
        reply = await wire.reply()
    assert reply.status == 408
    reply.problem("request_timeout")


async def test_only_the_web_clients_origin_is_let_in(town: Town) -> None:
    port = town.server.port
    own = b"Origin: http://chat.example:%d" % town.settings.server.port
    allowed = await ask(port, request(b"GET /health", own))
    assert allowed.headers["access-control-allow-origin"] == own.partition(b" ")[2].decode()
    assert allowed.headers["access-control-allow-credentials"] == "true"
    for origin in (b"Origin: http://evil.example", b"Origin: null", b"Origin: http://chat.example"):
        foreign = await ask(port, request(b"GET /health", origin))
        assert "access-control-allow-origin" not in foreign.headers
        assert foreign.headers["vary"] == "Origin"
    preflight = await ask(port, request(b"OPTIONS /events", own, b"Access-Control-Request-Method: GET"))
    assert preflight.status == 204
    assert "Last-Event-ID" in preflight.headers["access-control-allow-headers"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


async def test_a_stream_is_opened_after_other_requests_on_the_same_connection(town: Town) -> None:
    ada = await town.person()
    async with dial(town.server.port) as wire:
        stream = request(b"GET /events", b"Authorization: Bearer " + ada.token.encode())
        await wire.send(request(b"GET /health") + stream + request(b"GET /health"))
        assert (await wire.reply()).status == 200
        assert b"text/event-stream" in await wire.until(b"\r\n\r\n")
        assert b"event: hello" in await wire.until(b"\n\n")


async def test_a_half_closed_stream_is_let_go(town: Town) -> None:
    ada = await town.person()
    async with dial(town.server.port) as wire:
        await wire.send(request(b"GET /events", b"Authorization: Bearer " + ada.token.encode()))
        await wire.until(b"\n\n")
        wire.writer.write_eof()
        await wire.rest()
    await metric(town.server.port, b"fechatter_notify_streams 0.0")


async def test_too_many_streams_of_a_user_are_429(town: Town) -> None:
    ada = await town.person()
    open_one = request(b"GET /events", b"Authorization: Bearer " + ada.token.encode())
    async with AsyncExitStack() as wires:
        for _ in range(50):
            wire = await wires.enter_async_context(dial(town.server.port))
            await wire.send(open_one)
            await wire.until(b"\n\n")
        refused = await ask(town.server.port, open_one)
        assert refused.status == 429
        refused.problem("rate_limited")
        assert int(refused.headers["retry-after"]) > 0
        assert (refused.headers["x-ratelimit-limit"], refused.headers["x-ratelimit-remaining"]) == ("50", "0")
        assert int(refused.headers["x-ratelimit-reset"]) > 0
    await metric(town.server.port, b"fechatter_notify_streams 0.0")


async def test_a_client_that_reads_no_answers_is_not_buffered_for(town: Town) -> None:
    """Pipelining without reading: the service stops reading too, so the client's own writes come to a halt."""
    async with dial(town.server.port, receive_bytes=4_096) as wire:
        wire.stall()
        halted = False
        for _ in range(1_000):
            wire.writer.write(request(b"GET /metrics") * 1_500)
            try:
                await asyncio.wait_for(wire.writer.drain(), 0.5)
            except TimeoutError:
                halted = True
                break
    assert halted
