"""A chat history of our own making, and what a database holds of it.

line(…)          one line; write(path, lines) a file of them, gzipped or not
history(n)       n lines of several rooms and people, in order
load(…)          run the load in this process; the exit code
ask(url, sql)    rows of a query; do(url, sql) what has none
"""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from msgspec.structs import replace

from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.identity.sign_in import Device
from fechatter.actions.identity.sign_up import Newcomer, sign_up
from fechatter.cli.load import Order, run
from fechatter.config import Settings
from fechatter.store.database import Database
from tests.support.waiting import run_apart

START = datetime(2015, 3, 1, 12, tzinfo=UTC)
OWNER = "ada@example.org"


def line(
    text: str = "Good morning", *, room: str = "General", author: str = "grace", sent_at: str = "2015-03-01T12:00:00Z"
) -> str:
    return json.dumps({"room": room, "author": author, "sent_at": sent_at, "text": text}, ensure_ascii=False)


def history(count: int) -> list[str]:
    """Each a second after the last, all different: five rooms, eleven people."""
    return [
        line(
            f"第 {number} message of @person{number % 7}",
            room=f"Room {number % 5}",
            author=f"person{number % 11}",
            sent_at=(START + timedelta(seconds=number)).isoformat(),
        )
        for number in range(count)
    ]


def write(path: Path, lines: Iterable[str | bytes], *, gzipped: bool = False) -> Path:
    content = b"".join((item.encode() if isinstance(item, str) else item) + b"\n" for item in lines)
    path.write_bytes(gzip.compress(content) if gzipped else content)
    return path


def load(settings: Settings, path: Path, workspace: str | None = "Camp", owner: str | None = OWNER) -> int:
    return run(settings, Order(str(path), workspace, owner))


def ask(url: str, sql: str, *arguments: object) -> list[tuple[object, ...]]:
    async def fetch() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row.values()) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    return run_apart(fetch)


def do(url: str, script: str) -> None:
    """Several statements, without an answer."""

    async def execute() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    run_apart(execute)


def sign_up_owner(settings: Settings, email: str = OWNER) -> int:
    """Someone with a workspace of their own, named Camp; their id."""

    async def come_in() -> int:
        db = await Database.open(settings.server.db_url, 2)
        passwords = Passwords()
        try:
            newcomer = Newcomer(fullname="Ada", email=email, password="correct horse", workspace="Camp")
            signed_in = await sign_up(
                db, passwords, newcomer, mode="open", device=Device(user_agent="", address=""), ttl_s=60
            )
            return signed_in.user.id
        finally:
            passwords.close()
            await db.close()

    return run_apart(come_in)


def with_content_limit(settings: Settings, chars: int) -> Settings:
    return replace(settings, limits=replace(settings.limits, content_chars=chars))
