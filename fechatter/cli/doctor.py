"""`fechatter doctor`: what this installation rests on, looked at one by one.

run(settings, files)    print a table; False if something is wrong
new_epoch(settings)     after a data folder was copied: have all clients reload
"""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from fechatter.bus.nats_link import NatsLink
from fechatter.cli import ports
from fechatter.cli.embedded import database_url
from fechatter.cli.embedded_nats import running_nats, why_not
from fechatter.config import Loaded, Settings
from fechatter.domain.errors import OperatorError, Unavailable
from fechatter.files.storage import Storage, open_storage
from fechatter.store import migrate
from fechatter.store.database import Connection, Database
from fechatter.store.inspection import inspect
from fechatter.store.log import consumers
from fechatter.store.log.consumers import Standing
from fechatter.store.search import backfill
from fechatter.store.search.meilisearch_state import switched_off

GIB = 2**30
LEAST_FREE = 1 * GIB
COMFORTABLE_FREE = 5 * GIB
OLDEST_POSTGRESQL = 15
CLOCK_TOLERANCE_S = 2.0
LATE_S = 30.0

Verdict = Literal["ok", "look", "wrong"]
COLOURS: dict[Verdict, str] = {"ok": "green", "look": "yellow", "wrong": "red"}


class Finding(Struct, frozen=True):
    """`look`: works, but somebody should know."""

    subject: str
    verdict: Verdict
    text: str


def run(loaded: Loaded) -> bool:
    """Print what was found. True if nothing is wrong."""
    settings = loaded.settings
    findings = [
        Finding("settings", "ok", ", ".join(str(path) for path in loaded.files) or "no file: defaults"),
        *_look_at_folder(settings.data_dir),
        *_look_at_secrets(settings.data_dir / "secrets"),
        *asyncio.run(_look_at_services(settings)),
        *_look_at_database(settings),
        *_look_at_files(settings),
        *_look_at_nats(settings),
        _look_at_web(),
    ]
    _show(findings)
    return all(finding.verdict != "wrong" for finding in findings)


def new_epoch(settings: Settings) -> str:
    """Name the event log anew, so that every client reloads its state instead of resuming."""

    async def rename(url: str) -> str:
        async with _connect(url) as connection:
            await migrate.check_schema(connection)
            return await migrate.new_epoch(connection)

    with database_url(settings) as url:
        return asyncio.run(rename(url))


def _look_at_folder(folder: Path) -> Generator[Finding]:
    if not folder.is_dir():
        yield Finding("data folder", "look", f"{folder} does not exist yet: the first start makes it")
        return
    writable = os.access(folder, os.W_OK | os.X_OK)
    yield Finding("data folder", "ok" if writable else "wrong", f"{folder}{'' if writable else ' cannot be written'}")
    free = shutil.disk_usage(folder).free
    verdict: Verdict = "wrong" if free < LEAST_FREE else "look" if free < COMFORTABLE_FREE else "ok"
    yield Finding("disk space", verdict, f"{free / GIB:.1f} GiB free")


def _look_at_secrets(folder: Path) -> Generator[Finding]:
    if not os.access(folder, os.R_OK | os.X_OK):
        text = f"{folder} cannot be read" if folder.is_dir() else "none yet: the first start makes them"
        yield Finding("secrets", "wrong" if folder.is_dir() else "look", text)
        return
    open_files = [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077]
    if open_files:
        yield Finding("secrets", "wrong", f"others can read {', '.join(open_files)}: run chmod 600, and replace them")
    else:
        yield Finding("secrets", "ok", f"{folder}: readable by their owner alone")


async def _look_at_services(settings: Settings) -> list[Finding]:
    services = (
        ("fechatter_server", settings.server.host, settings.server.port, "FECHATTER_SERVER__PORT"),
        ("notify_server", settings.notify.host, settings.notify.port, "FECHATTER_NOTIFY__PORT"),
    )
    return [await _look_at_service(*service) for service in services]


async def _look_at_service(name: str, host: str, port: int, variable: str) -> Finding:
    if await ports.is_ready(host, port):
        return Finding(name, "ok", f"ready at {ports.local_url(host, port)}")
    try:
        ports.check_port(name, host, port, variable)
    except OperatorError as problem:
        return Finding(name, "wrong", str(problem))
    return Finding(name, "ok", f"not running; port {port} is free")


def _look_at_nats(settings: Settings) -> Generator[Finding]:
    """A server that is away is not wrong: PostgreSQL's NOTIFY stands in."""
    if not settings.messaging.enabled:
        return
    url = settings.messaging.url or running_nats(settings.data_dir)
    if url is None:
        why = why_not(settings.data_dir)
        told = f"not running: {why}" if why else "not running; `fechatter up` starts it"
        yield Finding("NATS (embedded)", "look" if why else "ok", told)
        return
    try:
        link = NatsLink(replace(settings.messaging, url=url), "fechatter doctor", "look")
    except OperatorError as problem:
        yield Finding("NATS", "wrong", str(problem))
        return
    for server, problem in asyncio.run(link.probe()).items():
        yield Finding("NATS", "look" if problem else "ok", f"{server}: {problem or 'answers'}")


def _look_at_files(settings: Settings) -> Generator[Finding]:
    """A bucket is tried as an upload would: only that shows what the key may do."""
    if settings.files.url:
        why = asyncio.run(_why_not_stored(open_storage(settings)))
        yield Finding("files", "wrong" if why else "ok", f"{settings.files.url}: {why or 'stores and deletes'}")


async def _why_not_stored(storage: Storage) -> str | None:
    key = f"doctor/{secrets.token_hex(16)}"
    try:
        await storage.put(key, BytesIO())
        await storage.delete([key])
    except Unavailable as error:
        return error.reason
    return None


def _look_at_database(settings: Settings) -> list[Finding]:
    """Never makes what is missing: this only looks."""
    kind = "" if settings.server.db_url else " (embedded)"
    if kind and not (settings.data_dir / "postgres").exists():
        return [Finding("database", "look", "none yet: the first start makes it")]
    try:
        with database_url(settings) as url:
            return asyncio.run(_ask_database(url, kind, switched_off(enabled=settings.search.enabled)))
    except OperatorError as problem:
        return [Finding("database", "wrong", str(problem))]


async def _ask_database(url: str, kind: str, resting: Sequence[str]) -> list[Finding]:
    async with _connect(url) as connection:
        found = await inspect(connection)
        old = found.version_number // 10_000 < OLDEST_POSTGRESQL
        version = f"PostgreSQL {found.version}{kind}, database {found.database}"
        weak = [f"{name} = {value}" for name, value in sorted(found.durability.items()) if value == "off"]
        clock = abs(found.clock_ahead_s) > CLOCK_TOLERANCE_S
        return [
            Finding("database", "wrong" if old else "ok", f"{version}{': 15 is the oldest that works' if old else ''}"),
            Finding(
                "durability",
                "wrong" if weak else "ok",
                f"a crash can lose what was answered: {', '.join(weak)}" if weak else "a commit is on disk",
            ),
            Finding("clocks", "look" if clock else "ok", f"the database is {found.clock_ahead_s:+.1f} s from here"),
            await _look_at_schema(connection),
            *await _look_at_search(connection),
            *await _look_at_consumers(connection, resting),
        ]


async def _look_at_schema(connection: Connection) -> Finding:
    try:
        await migrate.check_schema(connection)
    except OperatorError as problem:
        return Finding("schema", "wrong", str(problem))
    return Finding("schema", "ok", f"up to date ({migrate.load()[-1].name})")


async def _look_at_search(connection: Connection) -> list[Finding]:
    """Nothing to say of a schema that has none yet."""
    if not await backfill.exists(connection):
        return []
    left = await backfill.progress(connection)
    if left is None:
        return [Finding("built-in search", "ok", "finds all messages")]
    text = f"a worker is taking in messages from before: {left.done:,} of about {left.of:,} are"
    return [Finding("built-in search", "look" if left.of else "ok", text)]


async def _look_at_consumers(connection: Connection, resting: Sequence[str]) -> list[Finding]:
    """Those that follow the event log: how far each is."""
    if not await consumers.exist(connection):
        return []
    return [_consumer(each) for each in await consumers.standings(connection, but=resting)]


def _consumer(standing: Standing) -> Finding:
    subject = f"{standing.name}, a consumer of the event log"
    if not standing.current_epoch:
        return Finding(subject, "look", "belongs to another epoch of the log: a worker has it start over")
    told = f"{standing.behind:,} events behind" if standing.behind else "up to date"
    if standing.set_aside:
        told += f"; {standing.set_aside:,} events could not be handled, see the worker's log"
    if standing.failure is not None:
        return Finding(subject, "look", f"{told}; fails at present: {standing.failure}")
    late = standing.behind_s > LATE_S
    if late:
        told += f", the oldest {standing.behind_s:,.0f} s old: does a worker run?"
    return Finding(subject, "look" if late or standing.set_aside else "ok", told)


def _look_at_web() -> Finding:
    # Each command loads only what it needs: the web framework behind this is a third of a start.
    from fechatter.server.web import FOLDERS

    for folder in FOLDERS:
        if (folder / "index.html").is_file():
            return Finding("web client", "ok", f"built in {folder}")
    return Finding("web client", "wrong", "not built: run 'make run', or 'scripts/setup'")


@asynccontextmanager
async def _connect(url: str) -> AsyncGenerator[Connection]:
    database = await Database.open(url, 1, "fechatter doctor")
    try:
        async with database.connection() as connection:
            yield connection
    finally:
        await database.close()


def _show(findings: Iterable[Finding]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        table.add_row(finding.subject, f"[{COLOURS[finding.verdict]}]{finding.verdict}[/]", finding.text)
    width = None if sys.stdout.isatty() else 200
    Console(file=sys.stdout, width=width, highlight=False).print(table)
