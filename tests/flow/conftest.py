"""Fixtures of the flow tests: both services as processes, and people who use them.

crowd           people of the shared stack: sign_up, colleague, listen
dice            seeded: a failure prints the seed, and FECHATTER_TEST_SEED=… throws the same again
second_notify   another notify_server of the shared stack, with a heartbeat five times a second
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.clients.api import Api, Person
from tests.clients.sse import EventStream, listen
from tests.support.ports import free_port
from tests.support.stack import Stack, answers_ready
from tests.support.waiting import wait_until


class Crowd:
    """People of one running stack. Each test makes its own, in workspaces of its own."""

    def __init__(self, stack: Stack, api: Api) -> None:
        self.stack = stack
        self.api = api

    async def sign_up(self, fullname: str = "Ada Lovelace") -> Person:
        """Somebody with a new workspace."""
        return await self.api.sign_up(fullname)

    async def colleagues(self, host: Person, *fullnames: str, role: str = "member") -> list[Person]:
        """Others in the host's workspace, who came in by an invite."""
        invite = await host.invite(role)
        return [await self.api.sign_up(fullname, invite=invite.code) for fullname in fullnames]

    def listen(
        self, person: Person, *, cursor: str | None = None, last_event_id: str | None = None, at: str | None = None
    ) -> AbstractAsyncContextManager[EventStream]:
        """The person's events, by bearer token. `at`: another notify_server than the stack's own."""
        url = at or self.stack.notify_url
        return listen(url, token=person.token, cursor=cursor, last_event_id=last_event_id)


@pytest.fixture
async def crowd(shared_stack: Stack) -> AsyncGenerator[Crowd]:
    """People of the shared stack."""
    async with Api(shared_stack.api_url) as api:
        yield Crowd(shared_stack, api)


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("FECHATTER_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"FECHATTER_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    return random.Random(seed)


@pytest.fixture(scope="session")
def second_notify(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of another notify_server on the same database: heartbeats come every 0.2 s."""
    port = free_port()
    folder = tmp_path_factory.mktemp("second")
    with _run_notify(shared_stack, port, folder) as process:
        url = f"http://127.0.0.1:{port}"
        log = folder / "notify.log"
        wait_until(lambda: process.poll() is not None or answers_ready(url), "a second notify_server is ready")
        assert process.poll() is None, log.read_text()
        yield url
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _run_notify(stack: Stack, port: int, folder: Path) -> subprocess.Popen[bytes]:
    environment = stack.environment | {"FECHATTER_NOTIFY__HEARTBEAT_S": "0.2", "DATABASE_URL": stack.database_url}
    with (folder / "notify.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "fechatter", "notify", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
