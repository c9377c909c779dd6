"""The work of `fechatter search`, on the search that the settings name, while it is in use.

rebuild   build the index anew
compare   with the database
"""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fechatter.cli.embedded import database_url as database_of
from fechatter.config import Settings
from fechatter.domain.errors import DomainError, OperatorError
from fechatter.search import index as searching
from fechatter.search.builtin import BuiltinIndex
from fechatter.search.builtin_contents import BuiltinContents
from fechatter.search.index import Index
from fechatter.search.meilisearch.contents import MeilisearchContents
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.server import Server
from fechatter.search.verifying import Contents, Verdict, verify
from fechatter.store.database import Database
from fechatter.store.migrate import check_schema

Report = Callable[[searching.Progress], None]
INTERRUPTED = 130
_MOST_SHOWN = 20
_CONNECTIONS = 4


class Chosen(msgspec.Struct, frozen=True):
    """The backend that the settings name. `name`: as people are told."""

    name: str
    index: Index
    contents: Contents


def rebuild(settings: Settings) -> int:
    """The exit code of `fechatter search rebuild`."""

    async def work(_db: Database, chosen: Chosen, report: Report) -> int:
        await chosen.index.rebuild(report)
        sys.stdout.write(f"the {chosen.name} was built anew\n")
        return 0

    return _run(settings, work)


def compare(settings: Settings) -> int:
    """The exit code of `fechatter search verify`."""

    async def work(db: Database, chosen: Chosen, report: Report) -> int:
        verdict = await verify(db, chosen.contents, report)
        sys.stdout.write(_told(chosen.name, verdict))
        return 0 if verdict.is_good else 1

    return _run(settings, work)


def _told(name: str, verdict: Verdict) -> str:
    lines = [f"{verdict.checked:,} messages compared with the {name}"]
    if verdict.is_good:
        return f"{lines[0]}: it holds what it should\n"
    for kind in ("missing", "extra", "stale"):
        ids: list[int] = getattr(verdict, kind)
        if ids:
            shown = ", ".join(map(str, ids[:_MOST_SHOWN]))
            lines.append(f"{len(ids):,} {kind}: message {shown}{' …' if len(ids) > _MOST_SHOWN else ''}")
    return "\n".join([*lines, "Run 'fechatter search rebuild' to mend it.", ""])


def _run(settings: Settings, work: Callable[[Database, Chosen, Report], Coroutine[object, object, int]]) -> int:
    with database_of(settings) as url, _bar() as report:
        try:
            return asyncio.run(_work(settings, url, lambda db, chosen: work(db, chosen, report)))
        except DomainError as problem:
            raise OperatorError(problem.detail) from problem
        except (asyncio.CancelledError, KeyboardInterrupt):
            sys.stdout.write("Stopped early: the same command goes on from here.\n")
            return INTERRUPTED


async def _work(
    settings: Settings, url: str, work: Callable[[Database, Chosen], Coroutine[object, object, int]]
) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with _database(url) as db, _chosen(db, settings) as chosen:
        return await work(db, chosen)


@asynccontextmanager
async def _database(url: str) -> AsyncGenerator[Database]:
    db = await Database.open(url, _CONNECTIONS, "fechatter search")
    try:
        async with db.connection() as connection:
            await check_schema(connection)
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def _chosen(db: Database, settings: Settings) -> AsyncGenerator[Chosen]:
    if not settings.search.enabled:
        yield Chosen("built-in search", BuiltinIndex(db), BuiltinContents(db))
        return
    async with Server.open(settings.search) as server:
        yield Chosen("index in Meilisearch", MeilisearchIndex(db, server), MeilisearchContents(server))


@contextmanager
def _bar() -> Generator[Report]:
    """A bar where stderr is a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("messages", total=None)
        yield lambda at: progress.update(task, completed=at.done, total=at.of)
