"""fechatter_server inside the test process, and people for it, made in a moment: nobody hashes a password.

World.open(settings)    the app, its database, and a workspace
world.person(name)      someone signed in, in the workspace unless another is named
world.as_(person)       the caller that actions and the store know them as
world.events(stream)    what the log holds of a stream
lasting(postgres, …)    one world for many tests
statements(n)           a block in which exactly n statements are run by this process; counted(): the statements
"""

import asyncio
import time
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2
import msgspec
from litestar.exceptions import LitestarDeprecationWarning

from fechatter.config import Limits, Server, Settings, prepare
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.tokens import Tokens
from fechatter.server.app import create_app
from fechatter.store.database import Connection, Database
from fechatter.store.people import sessions, users
from fechatter.store.workspaces import workspaces
from tests.clients.api import Api, Person
from tests.clients.shapes import SignedIn
from tests.support.database import DatabaseServer

TTL_S = 3600


class InProcess(Api):
    """The client, with the app in the same process: no port, no wait."""

    def __init__(self, app: Any) -> None:
        super().__init__("http://testserver")
        self._client = httpx2.AsyncClient(
            base_url=self.url, transport=httpx2.ASGITransport(app=app, raise_app_exceptions=True), timeout=30
        )

    def forget_cookies(self) -> None:
        """As a new browser."""
        self._client.cookies.clear()


class LoggedEvent(msgspec.Struct, frozen=True):
    pos: int
    type: str
    message_id: int | None
    payload: dict[str, Any] | None


class World:
    """A running app with people.

    app           what the requests go to
    db            a pool of the test's own
    workspace_id  where people are unless another workspace is named
    """

    def __init__(self, settings: Settings, db: Database, app: Any) -> None:
        self.settings = settings
        self.db = db
        self.app = app
        self.api = InProcess(app)
        self.workspace_id = 0
        self._tokens = Tokens(settings.auth.signing_key.encode(), settings.auth.issuer, TTL_S)
        self._sessions: dict[int, int] = {}
        self._count = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator["World"]:
        with warnings.catch_warnings():
            # Dependencies are found by name until Litestar 3 is out.
            warnings.simplefilter("ignore", LitestarDeprecationWarning)
            app: Any = create_app(settings)
        db = await Database.open(settings.server.db_url, 20, "test")
        async with _life_span(app):
            world = cls(settings, db, app)
            async with world.api:
                world.workspace_id = await world.new_workspace("Home")
                yield world
        await db.close()

    async def new_workspace(self, name: str) -> int:
        """A workspace that somebody owns who does nothing in the test."""
        async with self.db.transaction() as tx:
            owner = await users.insert(tx, email=self._email(), fullname=f"Owner of {name}", password_hash=None)
            return (await workspaces.insert(tx, name=name, description=None, owner_id=owner.id)).id

    async def person(
        self, name: str, role: WorkspaceRole = WorkspaceRole.MEMBER, workspace_id: int | None = None
    ) -> Person:
        """Someone new, signed in."""
        where = workspace_id or self.workspace_id
        async with self.db.transaction() as tx:
            user = await users.insert(tx, email=self._email(), fullname=name, password_hash=None)
            await workspaces.add_member(tx, where, user.id, role)
        return await self.sign_in(user.id)

    async def people(self, *names: str) -> list[Person]:
        return [await self.person(name) for name in names]

    async def crowd(self, count: int) -> list[int]:
        """Ids of so many people of the workspace, of whom none is signed in."""
        rows = await self.db.fetch(
            """
            WITH new AS (
                INSERT INTO users (email, email_key, fullname, username, username_key)
                SELECT e, e, e, e, e FROM (SELECT 'crowd-' || n || '-' || $2 AS e FROM generate_series(1, $1) n) x
                RETURNING id
            ), placed AS (
                INSERT INTO workspace_members (workspace_id, user_id, role) SELECT $3, id, 'member' FROM new
            )
            SELECT id FROM new ORDER BY id
            """,
            count,
            self._email(),
            self.workspace_id,
        )
        return [row["id"] for row in rows]

    async def sign_in(self, user_id: int) -> Person:
        """A new session of somebody who exists."""
        async with self.db.transaction() as tx:
            caller, refresh_token = await sessions.start(tx, user_id, ttl_s=TTL_S, user_agent="", address="")
            user = await users.get(tx, user_id)
            workspace = await workspaces.current_of(tx, user_id)
        self._sessions[user_id] = caller.session_id
        answer = {
            "token": self._tokens.issue(user_id, caller.session_id, time.time()),
            "token_type": "Bearer",
            "expires_in": TTL_S,
            "refresh_token": refresh_token,
            "user": user,
            "workspace": workspace,
        }
        return Person(self.api, msgspec.json.decode(msgspec.json.encode(answer), type=SignedIn))

    def as_(self, person: Person) -> Caller:
        return Caller(person.id, self._sessions[person.id])

    async def sign_out(self, person: Person) -> None:
        await self.db.fetch("UPDATE sessions SET ended_at = now() WHERE user_id = $1", person.id)

    async def suspend(self, person: Person) -> None:
        """Everywhere, as the operator does."""
        await self.db.fetch("UPDATE users SET status = 'Suspended' WHERE id = $1", person.id)

    async def events(self, stream: str) -> list[LoggedEvent]:
        """In the order of positions, which have no gaps."""
        rows = await self.db.fetch(
            "SELECT pos, type, message_id, payload FROM events WHERE stream = $1 ORDER BY pos", stream
        )
        found = [
            LoggedEvent(
                row["pos"], row["type"], row["message_id"], row["payload"] and msgspec.json.decode(row["payload"])
            )
            for row in rows
        ]
        assert [event.pos for event in found] == list(range(1, len(found) + 1))
        return found

    def _email(self) -> str:
        self._count += 1
        return f"someone-{self._count}-{self.workspace_id}@example.org"


_noted: ContextVar[list[str] | None] = ContextVar("_noted", default=None)


@asynccontextmanager
async def lasting(postgres: DatabaseServer, folder: Path) -> AsyncGenerator[World]:
    """A world for many tests, each with people of its own: a database and a folder for it, no rate limits."""
    url = postgres.clone()
    settings = Settings(data_dir=folder / "data", server=Server(db_url=url), limits=Limits(enabled=False))
    async with World.open(prepare(settings)) as world:
        yield world
    postgres.drop(url)


@contextmanager
def statements(count: int) -> Generator[list[str]]:
    """Exactly `count` statements are run on behalf of the block, BEGIN and COMMIT among them; they are in the list."""
    with counted() as seen:
        yield seen
    assert len(seen) == count, "\n\n".join(seen)


@contextmanager
def counted() -> Generator[list[str]]:
    """The statements that are run on behalf of the block.

    What the app does on its own account meanwhile is not counted, nor what asyncpg asks about types once for each
    connection.
    """
    seen: list[str] = []
    plain = Database.connection

    def note(query: Any) -> None:
        noted, text = _noted.get(), str(query.query)
        if noted is not None and "typeinfo_tree" not in text and "set_config('jit'" not in text:
            noted.append(text)

    @asynccontextmanager
    async def noting(db: Database) -> AsyncGenerator[Connection]:
        async with plain(db) as connection:
            with connection.query_logger(note):
                yield connection

    token = _noted.set(seen)
    try:
        with patch.object(Database, "connection", noting):
            yield seen
    finally:
        _noted.reset(token)


@asynccontextmanager
async def _life_span(app: Any) -> AsyncGenerator[None]:
    """Start the app and stop it again, as a server would."""
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {}, "state": {}}, to_app.get, from_app.put))
    try:
        await to_app.put({"type": "lifespan.startup"})
        started = await _next(from_app, task)
        assert started["type"] == "lifespan.startup.complete", started
        yield
        await to_app.put({"type": "lifespan.shutdown"})
        await task
    finally:
        task.cancel()


async def _next(queue: asyncio.Queue[dict[str, str]], task: asyncio.Task[None]) -> dict[str, str]:
    getting = asyncio.create_task(queue.get())
    await asyncio.wait({getting, task}, return_when=asyncio.FIRST_COMPLETED)
    if not getting.done():
        getting.cancel()
        task.result()
    return await getting
