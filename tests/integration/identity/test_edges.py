"""Rates, other origins, hosts that are none, slow senders, upgrades."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvicorn

from fechatter.config import Limits, Settings
from fechatter.server import slow_senders
from fechatter.server.app import create_app
from fechatter.server.limits import RateLimits
from fechatter.server.routes.service import Config
from fechatter.server.slow_senders import TimedHttpProtocol
from tests.clients.api import new_email
from tests.support.waiting import PATIENCE_S
from tests.support.world import World


@pytest.fixture
async def strict(settings: Settings) -> AsyncGenerator[World]:
    limits = Limits(posts_per_second=0.1, posts_burst=2, signins_per_minute_account=2, invites_per_minute_address=1)
    async with World.open(msgspec.structs.replace(settings, limits=limits)) as world:
        yield world


async def test_answers_say_what_is_left_and_too_many_posts_are_refused(strict: World) -> None:
    ada = await strict.person("Ada")
    left = [(await ada.ask("POST", "/api/notifications/ticket")).headers["x-ratelimit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = await ada.ask("POST", "/api/notifications/ticket")
    refused.problem(429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["x-ratelimit-limit"] == "2"
    assert (await ada.ask("GET", "/api/users/me")).headers["x-ratelimit-limit"] == "1000"


async def test_guesses_at_an_account_are_few_whether_or_not_it_exists(strict: World) -> None:
    ada = await strict.api.sign_up("Ada")
    for email in (ada.user.email, new_email()):
        form = {"email": email, "password": "a wrong guess"}
        answers = [await strict.api.ask("POST", "/api/auth/signin", json=form) for _ in range(3)]
        assert [answer.status for answer in answers] == [401, 401, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1


async def test_invite_codes_are_not_tried_one_after_the_other(strict: World) -> None:
    ada = await strict.person("Ada")
    (await ada.ask("POST", "/api/invites/guess/accept")).problem(404, "not_found")
    (await ada.ask("POST", "/api/invites/guess/accept")).problem(429, "rate_limited")


async def test_two_servers_share_a_rate(world: World) -> None:
    limits = Limits(posts_per_second=0.1, posts_burst=4)
    one, other = RateLimits(world.db, limits), RateLimits(world.db, limits)
    for _ in range(3):
        one.spend("post", 1)
    other.spend("post", 1)
    await one.share()
    await other.share()
    standing = other.spend("post", 2)
    assert standing is not None
    assert standing.remaining == 3
    with pytest.raises(Exception, match="Too many requests"):
        other.spend("post", 1)


async def test_without_limits_nothing_is_counted(world: World) -> None:
    limits = RateLimits(world.db, Limits(enabled=False, posts_burst=1, signins_per_minute_account=1))
    for _ in range(3):
        assert limits.spend("post", 1) is None
        assert await limits.sign_in("a@example.org", "::1") is None


async def test_only_configured_origins_may_use_the_api_from_a_page(settings: Settings) -> None:
    friend, foe = "https://friend.example", "https://foe.example"
    server = msgspec.structs.replace(settings.server, allowed_origins=(friend,))
    async with World.open(msgspec.structs.replace(settings, server=server)) as world:
        for origin, allowed in ((friend, True), (foe, False)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
            asked = await world.api.ask("OPTIONS", "/api/users/me", headers=headers)
            assert ("access-control-allow-methods" in asked.headers) is allowed
            answer = await world.api.ask("GET", "/api/config", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            forged = await world.api.ask("POST", "/api/auth/refresh", headers={"Origin": origin, "Cookie": "x=y"})
            assert forged.status == (401 if allowed else 403)


@pytest.mark.parametrize("host", ["a:99999999", "a:b", "a:-1", "[::1", "[::1]:x", "a@b:1", "a b", "a/b"])
async def test_a_host_that_is_none_is_refused(world: World, host: str) -> None:
    for path in ("/", "/api/config"):
        (await world.api.ask("GET", path, headers={"Host": host})).problem(400, "invalid_request")


@pytest.mark.parametrize("host", ["chat.example.org", "chat_1:6688", "127.0.0.1:80", "[::1]:6688", "[::1]"])
async def test_addresses_are_made_from_the_host_of_the_request(world: World, host: str) -> None:
    answer = await world.api.ask("GET", "/api/config", headers={"Host": host})
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    assert answer.json(Config).notify_url.startswith(f"http://{name}:")


@pytest.mark.parametrize("origin", ["http://[bad", "null", "", "http://a:99999999", "x"])
async def test_an_origin_that_is_none_is_a_foreign_one(world: World, origin: str) -> None:
    forged = await world.api.ask("POST", "/api/auth/refresh", headers={"Origin": origin, "Cookie": "x=y"})
    forged.problem(403, "forbidden")


@asynccontextmanager
async def served(settings: Settings) -> AsyncGenerator[int]:
    """The port of a server; it listens from now on and answers once it has started."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), http=TimedHttpProtocol, ws="none", log_config=None))
    running = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await running


@pytest.mark.filterwarnings("ignore")
async def test_a_head_that_does_not_come_or_does_not_end_is_waited_for_so_long_and_no_longer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_senders, "BODY_GRACE_S", 0.3)
    async with served(settings) as port:
        for sent, expected in (
            (b"", b""),
            (b"GET /health HTTP/1.1\r\nHost: x\r\nX-", b""),
            (b"\r\n\r\n", b""),
            (b"GET /health HTTP/1.1\r\nHost: x\r\nX-Y: " + b"y" * 70_000, b"HTTP/1.1 400"),
            (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
            (
                b"POST /api/auth/signin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 50\r\n\r\n{",
                b"HTTP/1.1 408",
            ),
        ):
            monkeypatch.setattr(slow_senders, "HEAD_WITHIN_S", PATIENCE_S if expected else 0.3)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answer = await reader.read()  # until the server closes
            assert answer[:12] == expected
            assert not answer or b"application/problem+json" in answer
            writer.close()


@pytest.mark.filterwarnings("ignore")
async def test_a_connection_may_rest_between_two_requests_for_longer_than_a_head_may_take(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    async with served(settings) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
            assert head.startswith(b"HTTP/1.1 200")
            monkeypatch.setattr(slow_senders, "HEAD_WITHIN_S", 0.3)
            silent, _ = await asyncio.open_connection("127.0.0.1", port)
            assert await silent.read() == b""
        writer.write(request[:-2])
        assert await reader.read() == b""
        writer.close()


@pytest.mark.filterwarnings("ignore")
async def test_who_goes_on_sending_after_the_refusal_can_still_read_it(settings: Settings) -> None:
    async with served(settings) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        refused = await reader.readuntil(b"}")
        for _ in range(20):
            writer.write(b"x" * 100_000)
            await writer.drain()
        assert await reader.read() == b""
        assert refused.startswith(b"HTTP/1.1 400")
        writer.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_who_asks_for_another_protocol_gets_an_answer_of_http_and_no_line_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    head = f"Host: x\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: 13\r\n"
    head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    async with served(settings) as port:
        for path, status in (("/api/notifications/events", b"404"), ("/health", b"200")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\n{head}".encode())
            assert (await reader.readuntil(b"\r\n\r\n"))[:12] == b"HTTP/1.1 " + status
            writer.close()
    told = [record for record in caplog.records if record.name.startswith("uvicorn")]  # others run in this process too
    assert [record.message for record in told if record.levelname == "WARNING"] == []
