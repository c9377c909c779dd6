"""`fechatter up` with `messaging.enabled` and no address: a NATS of its own, that only this machine's owner reaches."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from fechatter.cli.embedded_nats import EmbeddedNats, greeting, running_nats
from fechatter.cli.supervisor import LONGEST_DELAY_S
from fechatter.config import ConfigError
from fechatter.domain.errors import OperatorError
from tests.clients.api import Api
from tests.clients.sse import listen
from tests.support.stack import Stack
from tests.support.waiting import PATIENCE_S, wait_until

TRIED_S = LONGEST_DELAY_S + 2 * PATIENCE_S
"""Within which a NATS that did not start for long is tried again, and both services have come back to it."""


@pytest.fixture
def nats_stack(tmp_path: Path) -> Generator[Stack]:
    running = Stack.start(tmp_path / "stack", FECHATTER_MESSAGING__ENABLED="true")
    try:
        wait_until(lambda: set(statuses(running)) == {"ready"}, "both services use NATS")
        yield running
    finally:
        running.stop()


async def test_up_with_nats_is_a_working_chat_also_after_nats_was_killed(nats_stack: Stack) -> None:
    async with Api(nats_stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        chat = await ada.create_chat("PrivateChannel")
        async with listen(nats_stack.notify_url, token=ada.token) as stream:
            await stream.hello()
            await ada.post(chat, "by NATS")
            await stream.message("by NATS")
            first = nats_stack.pid("NATS")
            nats_stack.kill("NATS")
            await ada.post(chat, "without it")
            await stream.message("without it")
            await asyncio.to_thread(
                wait_until, lambda: nats_stack.pid("NATS") != first, "the supervisor starts NATS again"
            )
            await asyncio.to_thread(
                wait_until, lambda: set(statuses(nats_stack)) == {"ready"}, "both services use NATS again"
            )
            await ada.post(chat, "by NATS again")
            await stream.message("by NATS again")


def test_up_with_a_nats_that_cannot_start_is_a_working_chat_and_takes_it_in_when_it_can(tmp_path: Path) -> None:
    blocked = tmp_path / "stack" / "data" / "nats" / "store"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("where JetStream wants a folder")
    stack = Stack.start(tmp_path / "stack", FECHATTER_MESSAGING__ENABLED="true")
    try:
        asyncio.run(say_something(stack))
        wait_until(lambda: set(statuses(stack)) == {"degraded"}, "both services do without NATS")
        assert nats_up(stack) == [0.0, 0.0]
        why = "Can't start JetStream: storage directory is not a directory"
        assert stack.output().count(f"NATS ended with exit code 1 ({why}): news go by PostgreSQL's NOTIFY") == 1
        wait_until(lambda: why in stack.command("doctor").stdout, "the doctor says it, between two tries")
        blocked.unlink()
        wait_until(lambda: set(statuses(stack)) == {"ready"}, "both services use NATS, that was tried again", TRIED_S)
        assert nats_up(stack) == [1.0, 1.0]
        asyncio.run(say_something(stack))
    finally:
        assert stack.stop() == 0


@pytest.mark.parametrize("missing", ["program", "folder"])
def test_a_nats_that_cannot_be_prepared_says_why_and_has_an_address_all_the_same(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The services are told it when they start, and find it there when it can be started at last."""
    if missing == "program":

        def nowhere(_name: str) -> str:
            return str(tmp_path)

        monkeypatch.setattr("sysconfig.get_path", nowhere)
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        (tmp_path / "nats").write_text("no folder")
    server = EmbeddedNats(tmp_path)
    with pytest.raises(
        (OperatorError, ConfigError), match="is missing: install" if missing == "program" else "not a folder"
    ):
        server.prepare()
    address = server.settle()
    monkeypatch.undo()
    if missing == "folder":
        (tmp_path / "nats").unlink()
    server.prepare()
    assert server.settle() == address
    assert f'"127.0.0.1:{urlsplit(address).port}"' in (tmp_path / "nats" / "nats.conf").read_text()


def test_the_embedded_nats_listens_here_only_keeps_its_secrets_and_ends_with_up(nats_stack: Stack) -> None:
    process = psutil.Process(nats_stack.pid("NATS"))
    listening = [each.laddr[0] for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}
    assert process.cmdline()[1] == "-c", "a password on the command line can be read by anyone"
    private = [nats_stack.data_dir / "nats" / "nats.conf", nats_stack.data_dir / "secrets" / "nats_password"]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600, 0o600]
    port = int((nats_stack.data_dir / "nats" / "port").read_text())
    assert b"Authorization Violation" in sign_in(port, "guess")
    ours = greeting(port)
    assert ours
    assert nats_stack.stop() == 0
    assert not process.is_running()
    assert (greeting(port) or {}).get("server_id") != ours["server_id"], "another one may have the port by now"
    assert running_nats(nats_stack.data_dir) is None


def sign_in(port: int, password: str) -> bytes:
    """What NATS says to it."""
    with socket.create_connection(("127.0.0.1", port), 10) as wire, wire.makefile("rb") as said:
        assert said.readline().startswith(b"INFO ")
        options = json.dumps({"user": "fechatter", "pass": password, "verbose": False})
        wire.sendall(f"CONNECT {options}\r\nPING\r\n".encode())
        return said.readline()


async def say_something(stack: Stack) -> None:
    """It arrives."""
    async with Api(stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        chat = await ada.create_chat("PrivateChannel")
        async with listen(stack.notify_url, token=ada.token) as stream:
            await stream.hello()
            await ada.post(chat, "hello")
            await stream.message("hello")


def nats_up(stack: Stack) -> list[float]:
    """As the metrics of both services have it."""
    found: list[float] = []
    for url, name in ((stack.api_url, "fechatter_nats_up"), (stack.notify_url, "fechatter_notify_nats_up")):
        with urllib.request.urlopen(f"{url}/metrics", timeout=PATIENCE_S) as answer:  # noqa: S310 - http, on this machine
            lines = answer.read().decode().splitlines()
        found += [float(line.split()[1]) for line in lines if line.startswith(f"{name} ")]
    return found


def statuses(stack: Stack) -> list[str]:
    """Of both services. One that stood still for some seconds says 503 and `unavailable` until it has looked again."""
    said: list[str] = []
    for url in (stack.api_url, stack.notify_url):
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=PATIENCE_S) as answer:  # noqa: S310 - http, on this machine
                said.append(json.load(answer)["status"])
        except urllib.error.HTTPError as unavailable:
            with unavailable:
                said.append(json.load(unavailable)["status"])
    return said
