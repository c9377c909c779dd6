"""`fechatter load`: a chat history into a workspace.

run(order)   read the file, store it batch by batch, tell how it went; the exit code
"""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

import uvloop
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fechatter.actions.history.load_history import Added, add_remarks, bring_in
from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.workspaces.choose_workspace import Chosen, choose_workspace
from fechatter.cli.embedded import database_url
from fechatter.cli.history.lines import History
from fechatter.cli.history.ordering import Survey, batches, in_order, survey
from fechatter.config import Settings
from fechatter.domain.errors import InvalidRequest, OperatorError, Unavailable
from fechatter.domain.history import Reader, Refusal, Remark
from fechatter.domain.text import check_email, check_name
from fechatter.store.database import Database
from fechatter.store.messages import history_people
from fechatter.store.migrate import check_schema, migrate

INTERRUPTED = 130


class Order(Struct, frozen=True):
    """What to load, and where to. `path`: "-" is standard input."""

    path: str
    workspace: str | None = None
    owner: str | None = None


def run(settings: Settings, order: Order) -> int:
    """0 if anything of the file is in the workspace now, 130 after Ctrl-C, else 1.

    Raises OperatorError if the file cannot be read, the workspace cannot be had, or the database is away. Whatever
    ends it, the same command goes on from there.
    """
    _check(settings, order)
    started = time.monotonic()
    limits = settings.limits
    reader = Reader(
        name_chars=limits.name_chars, fullname_chars=limits.fullname_chars, content_chars=limits.content_chars
    )
    with History.open(order.path) as history, database_url(settings) as url, _display() as display:
        found = survey(history, reader, display.bad_line)
        if found.good == 0:
            raise OperatorError(f"Nothing to load: {found.bad:,} bad lines, and no good one.")
        remarks = in_order(history, reader, ordered=found.ordered)
        return uvloop.run(_Load(settings, order, url, display).run(found, remarks, started))


class _Load:
    """One run.

    _done     what the batches have come to so far
    _rooms    folded names of all rooms seen: the owner joins them at the end
    _stopped  set by Ctrl-C and SIGTERM; the batch under way is finished
    """

    def __init__(self, settings: Settings, order: Order, url: str, display: "_Display") -> None:
        self._settings = settings
        self._order = order
        self._url = url
        self._display = display
        self._done = Added()
        self._refused = 0
        self._rooms: set[str] = set()
        self._stopped = asyncio.Event()

    async def run(self, found: Survey, remarks: Iterator[Remark], started: float) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        async with self._database() as db:
            chosen = await self._choose(db)
            await self._add_all(db, chosen, found, remarks)
            await bring_in(db, chosen.to, self._rooms)
        self._display.totals(chosen, self._done, found.bad + self._refused, time.monotonic() - started)
        if self._stopped.is_set():
            self._display.say("Stopped early: the same command goes on from here.")
            return INTERRUPTED
        return 0 if self._done.messages or self._done.repeats else 1

    @asynccontextmanager
    async def _database(self) -> AsyncGenerator[Database]:
        if not self._settings.server.db_url:
            await migrate(self._url)
        db = await Database.open(self._url, 2, "fechatter load")
        try:
            async with db.connection() as connection:
                await check_schema(connection)
            yield db
        except Unavailable as error:
            raise OperatorError("The database went away: run the same command again, it goes on from here.") from error
        finally:
            await db.close()

    async def _choose(self, db: Database) -> Chosen:
        passwords = Passwords()
        try:
            chosen = await choose_workspace(db, passwords, self._order.workspace, self._order.owner)
        finally:
            passwords.close()
        if chosen.password is not None:
            self._display.say(f"Made an account for {chosen.email} with the password {chosen.password}")
        return chosen

    async def _add_all(self, db: Database, chosen: Chosen, found: Survey, remarks: Iterator[Remark]) -> None:
        async with db.connection() as claimed:
            if not await history_people.claim(claimed, chosen.to.workspace_id):
                raise OperatorError(f"Another load into workspace {chosen.to.workspace_id} is under way: wait for it.")
            self._display.begin(found.good)
            async for batch in _read_ahead(batches(remarks)):
                added = await add_remarks(db, chosen.to, batch)
                self._done.count(added)
                self._refuse(added.refusals)
                self._rooms.update(remark.room_key for remark in batch)
                self._display.advance(len(batch))
                if self._stopped.is_set():
                    return

    def _refuse(self, refusals: list[Refusal]) -> None:
        self._refused += len(refusals)
        for refusal in refusals:
            self._display.refused(refusal)


class _Display:
    """What a person sees: a bar where stderr is a terminal, bad lines on stderr, totals on stdout."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None

    def bad_line(self, number: int, reason: str) -> None:
        self._report(f"line {number}: {reason}")

    def refused(self, refusal: Refusal) -> None:
        remark = refusal.remark
        at = remark.sent_at.isoformat().replace("+00:00", "Z")
        self._report(f"{remark.author} in {remark.room}, {at}: {refusal.reason}")

    def begin(self, total: int) -> None:
        self._task = self._progress.add_task("messages", total=total)

    def advance(self, lines: int) -> None:
        if self._task is not None:
            self._progress.advance(self._task, lines)

    def say(self, text: str) -> None:
        self._progress.stop()
        sys.stdout.write(f"{text}\n")

    def totals(self, chosen: Chosen, done: Added, bad: int, seconds: float) -> None:
        self.say(
            f"{done.messages:,} messages loaded into {chosen.name} (workspace {chosen.to.workspace_id})"
            f" in {seconds:.1f} s, {done.messages / max(seconds, 0.001):,.0f} a second\n"
            f"{done.channels:,} channels, {done.people:,} people and {done.memberships:,} memberships made\n"
            f"{done.repeats:,} lines were there before, {bad:,} bad lines were skipped"
        )

    def _report(self, text: str) -> None:
        """Nothing in a file may look like markup, or steer the terminal."""
        shown = "".join(char if char.isprintable() else "�" for char in text)
        self._console.print(shown, markup=False, highlight=False, soft_wrap=True)


async def _read_ahead(found: Iterator[list[Remark]]) -> AsyncGenerator[list[Remark]]:
    """Read the next batch in a thread while the database works on the last."""
    with ThreadPoolExecutor(1) as reading:
        loop = asyncio.get_running_loop()
        batch = await loop.run_in_executor(reading, next, found, None)
        while batch is not None:
            coming = loop.run_in_executor(reading, next, found, None)
            yield batch
            batch = await coming


@contextmanager
def _display() -> Generator[_Display]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Display(console, progress)


def _check(settings: Settings, order: Order) -> None:
    """Refuse what could never be a name or an address, before anything is read."""
    try:
        if order.workspace is not None:
            check_name("--workspace", order.workspace, settings.limits.name_chars)
        if order.owner is not None:
            check_email("--owner", order.owner)
    except InvalidRequest as error:
        raise OperatorError("; ".join(f"{field} {problem}" for field, problem in error.fields.items())) from error
