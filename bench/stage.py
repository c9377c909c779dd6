"""The whole program as processes, with people who are signed in.

Stage.up(people, rooms)   `fechatter up` in a folder of its own, filled by `fechatter load`
pin(pid, core)            keep a process on one core, where there are two
say(text)                 progress, on stderr
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import asyncpg
import psutil
from msgspec import Struct

from bench.figures import CannotMeasure
from fechatter import config
from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.store.people import sessions
from tests.support.stack import Stack

T = TypeVar("T")
DAY_S = 24 * 3600
LIMITS = {
    "FECHATTER_LIMITS__ENABLED": "false",
    "FECHATTER_LIMITS__STREAMS_PER_USER": "1000",
    "FECHATTER_LIMITS__STREAMS_PER_ADDRESS": "100000",
}


class Person(Struct, frozen=True):
    """Someone signed in, and the first chat they are in."""

    user_id: int
    session_id: int
    chat_id: int
    token: str


class Stage:
    """A running stack. `people` in the order of their ids."""

    def __init__(self, stack: Stack, people: Sequence[Person], folder: Path) -> None:
        self.stack = stack
        self.people = people
        self.folder = folder

    @classmethod
    @contextmanager
    def up(cls, people: int, rooms: int, **settings: str) -> Generator["Stage"]:
        """Person i is in room i modulo `rooms`, and in no other. `settings`: more environment variables."""
        raise_open_files()
        with tempfile.TemporaryDirectory(prefix="fechatter-bench-") as name:
            folder = Path(name)
            folder.chmod(0o711)
            say("starting the program")
            stack = Stack.start(folder, **LIMITS, **settings)
            try:
                yield cls(stack, _fill(stack, folder, people, rooms), folder)
            finally:
                stack.stop()

    def hide_presence(self) -> None:
        """Nobody hears who comes online: that would be another stream of events beside the one that is measured."""

        async def hide(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
            await connection.execute(
                "INSERT INTO presence (user_id, chosen, chosen_at) SELECT unnest($1::bigint[]), 'offline', now()",
                [person.user_id for person in self.people],
            )

        self.query(hide)

    def query(self, work: Callable[["asyncpg.Connection[asyncpg.Record]"], Awaitable[T]]) -> T:
        return asyncio.run(_with_connection(self.stack.database_url, work))


def raise_open_files() -> int:
    """As many as the machine lets us; inherited by everything that is started later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


def pin(pid: int, core: int) -> None:
    """With all of its threads; nothing on a machine with one core, or of another system."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > core:
        for thread in psutil.Process(pid).threads():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread.id, {cores[core]})


def say(text: str) -> None:
    sys.stderr.write(f"  · {text}\n")
    sys.stderr.flush()


def _fill(stack: Stack, folder: Path, people: int, rooms: int) -> list[Person]:
    path = folder / "people.jsonl"
    with path.open("w") as file:
        for number in range(people):
            remark = {"room": f"room {number % rooms}", "author": f"person {number}", "text": "I am here."}
            file.write(json.dumps({**remark, "sent_at": "2020-01-01T00:00:00Z"}) + "\n")
    done = stack.command("load", str(path), "--workspace", "Bench", "--owner", "owner@bench.invalid")
    if done.returncode != 0:
        raise CannotMeasure(f"the people cannot be made: {done.stderr.strip()}")
    settings = config.prepare(Settings(data_dir=stack.data_dir))
    tokens = Tokens(settings.auth.signing_key.encode(), settings.auth.issuer, DAY_S)
    return asyncio.run(_with_connection(stack.database_url, lambda connection: _sign_in(connection, tokens)))


async def _sign_in(connection: "asyncpg.Connection[asyncpg.Record]", tokens: Tokens) -> list[Person]:
    rows = await connection.fetch(
        """
        SELECT cm.user_id, cm.chat_id FROM chat_members cm JOIN users u ON u.id = cm.user_id
        WHERE u.email LIKE '%.loaded.invalid' ORDER BY cm.user_id
        """
    )
    people: list[Person] = []
    for row in rows:
        caller, _ = await sessions.start(connection, row["user_id"], ttl_s=DAY_S, user_agent="bench", address="")
        token = tokens.issue(caller.user_id, caller.session_id, time.time())
        people.append(Person(caller.user_id, caller.session_id, row["chat_id"], token))
    return people


async def _with_connection(url: str, work: Callable[["asyncpg.Connection[asyncpg.Record]"], Awaitable[T]]) -> T:
    connection = await asyncpg.connect(url)
    try:
        return await work(connection)
    finally:
        await connection.close()
