"""What a process of ours tells a NATS server, and what it does not; and that it stops when it is told to."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from nats.aio.client import Client

from deploy.nats.cluster import Authority, Cluster
from fechatter.bus.nats_link import NatsLink
from fechatter.config import Messaging
from tests.support.nats import messaging_of
from tests.support.ports import free_port
from tests.support.waiting import eventually

PATIENCE_S = 30.0
pytestmark = pytest.mark.usefixtures("patient")
INFO = {"server_id": "x", "version": "2.11.0", "max_payload": 1048576, "headers": True, "auth_required": True}


@pytest.mark.parametrize("scheme", ["nats", "tls"])
async def test_where_tls_is_asked_for_a_server_without_it_hears_nothing(scheme: str, tmp_path: Path) -> None:
    """Whoever sits between takes the word TLS from the server's greeting, and waits for the password."""
    Authority(tmp_path)
    async with listener() as (port, heard):
        ca = tmp_path / "ca.pem" if scheme == "nats" else None
        url = f"{scheme}://127.0.0.1:{port}"
        link = NatsLink(Messaging(enabled=True, url=url, user="u", password="secret", tls_ca=ca), "test", "test")
        assert await _heard_in_one_connection(link, heard) == b""


async def test_where_it_is_not_asked_for_the_password_is_sent() -> None:
    async with listener() as (port, heard):
        settings = Messaging(enabled=True, url=f"nats://127.0.0.1:{port}", user="u", password="secret")
        assert b'"secret"' in await _heard_in_one_connection(NatsLink(settings, "test", "test"), heard)


async def test_certificates_that_cannot_be_read_for_a_moment_are_waited_for(tmp_path: Path) -> None:
    """They are read anew for each connection, perhaps while somebody renews them: the process must live on."""
    Authority(tmp_path)
    ca, aside = tmp_path / "ca.pem", tmp_path / "aside.pem"
    async with listener() as (port, heard):
        link = NatsLink(Messaging(enabled=True, url=f"nats://127.0.0.1:{port}", tls_ca=ca), "test", "test")
        ca.rename(aside)
        async with _running(link):
            await eventually(lambda: _is_said(link, "cannot be read"), "it says what it waits for")
            aside.rename(ca)
            assert await asyncio.wait_for(heard.get(), PATIENCE_S) == b""


async def test_a_probe_says_of_each_server_whether_it_can_be_used(nats: Cluster) -> None:
    good = messaging_of(nats)
    away = f"nats://127.0.0.1:{free_port()}"
    found = await NatsLink(replace(good, url=f"{good.url},{away}"), "test", "test").probe()
    assert sorted(map(bool, found.values())) == [False, True]
    (refused,) = (await NatsLink(replace(good, password="wrong"), "test", "test").probe()).values()
    assert refused == "refuses messaging.user with messaging.password"
    assert good.password not in refused


async def _heard_in_one_connection(link: NatsLink, heard: "asyncio.Queue[bytes]") -> bytes:
    async with _running(link):
        return await asyncio.wait_for(heard.get(), PATIENCE_S)


async def _is_said(link: NatsLink, words: str) -> bool:
    return words in link.why


@asynccontextmanager
async def _running(link: NatsLink) -> AsyncGenerator[None]:
    async def use(_client: Client) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(link.run(use))
    try:
        yield
    finally:
        running.cancel()  # also in the moment in which the server answers
        await asyncio.wait_for(asyncio.wait([running]), PATIENCE_S)


@asynccontextmanager
async def listener() -> AsyncGenerator[tuple[int, "asyncio.Queue[bytes]"]]:
    """Greets as a NATS server without TLS does; its port, and what each connection's client said first, if anything."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"INFO {json.dumps(INFO)}\r\n".encode())
        heard.put_nowait(await reader.read(65_536))
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard
