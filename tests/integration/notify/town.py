"""A notify_server in a thread of its own, with people, chats and messages made through the real actions.

Town.people, Town.chat          make them
Town.post                       a message, by the posting statement
Town.listen, Town.request       connect; raw bytes where HTTP itself is under test
NotifyThread                    the server, on uvloop as in production
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

import asyncpg
import msgspec
import uvloop

from fechatter.actions.chats.create_chat import ChatPlan, create_chat
from fechatter.actions.messages.post_message import Posting
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.config import Settings
from fechatter.domain.chats import ChatType
from fechatter.domain.messages import Draft, Message
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.tokens import Tokens
from fechatter.notify.app import serve
from fechatter.store.database import Connection, Database
from fechatter.store.people import sessions, users
from fechatter.store.workspaces import workspaces
from tests.clients.sse import EventStream, listen
from tests.integration.notify.raw import ready
from tests.support.waiting import PATIENCE_S, wait_until

_numbers = count(1)


class NotifyThread:
    """notify_server until stop(); `port` is where it listens."""

    def __init__(self, settings: Settings) -> None:
        self.port = 0
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: self.port or self._failure, "notify_server listens")
        if self._failure is not None:
            raise self._failure

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell_to_stop(self) -> None:
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> None:
        """Drain; return when it has ended. Raises what it failed with."""
        self.tell_to_stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "notify_server did not stop"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except BaseException as failure:
            self._failure = failure
            raise

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listening: asyncio.Future[int] = self._loop.create_future()
        listening.add_done_callback(lambda port: setattr(self, "port", port.result()))
        await serve(self._settings, self._stop, listening)


class Person(msgspec.Struct, frozen=True):
    """Someone with a session; `token` is good for it."""

    caller: Caller
    token: str

    @property
    def id(self) -> int:
        return self.caller.user_id


class Town:
    """A workspace with people, and a notify_server for them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        server: NotifyThread,
        workspace_id: int,
        publisher: NatsPublisher | None,
    ) -> None:
        self.database = database
        self.publisher = publisher
        self.server = server
        self.workspace_id = workspace_id
        self.posting = Posting(database)
        self.settings = settings
        self._tokens = Tokens(settings.auth.signing_key.encode(), settings.auth.issuer, settings.auth.token_ttl_s)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, server: Settings | None = None) -> AsyncGenerator["Town"]:
        """What is done is told as `settings.messaging` says. `server`: other settings for notify_server."""
        publisher = NatsPublisher(settings.messaging, "test") if settings.messaging.enabled else None
        database = await Database.open(settings.server.db_url, 20, outlet=publisher)
        publishing = asyncio.create_task(publisher.run(database)) if publisher is not None else None
        notify = NotifyThread(server or settings)
        try:
            await ready(notify.port)
            founder = await _user(database)
            async with database.transaction() as tx:
                workspace = await workspaces.insert(tx, name="Town", description=None, owner_id=founder)
            yield cls(settings, database, notify, workspace.id, publisher)
        finally:
            notify.stop()
            if publishing is not None:
                publishing.cancel()
                await asyncio.wait([publishing], timeout=5)
            await database.close()

    async def person(self) -> Person:
        """Someone new in the workspace, signed in."""
        user_id = await _user(self.database)
        async with self.database.transaction() as tx:
            await workspaces.add_member(tx, self.workspace_id, user_id, WorkspaceRole.MEMBER)
        return await self.session_of(user_id)

    async def people(self, number: int) -> list[Person]:
        return [await self.person() for _ in range(number)]

    async def crowd(self, chat_id: int, number: int) -> list[int]:
        """So many people more in the workspace and the chat, without sessions; their ids."""
        async with self.database.transaction() as tx:
            rows = await tx.fetch(
                """
                WITH crowd AS (
                    INSERT INTO users (email, email_key, fullname, username, username_key)
                    SELECT n || '@crowd.invalid', n || '@crowd.invalid', 'Crowd', 'crowd' || n, 'crowd' || n
                    FROM generate_series(1, $3) n RETURNING id
                ), workspace AS (
                    INSERT INTO workspace_members (workspace_id, user_id, role) SELECT $2, id, 'member' FROM crowd
                ), chat AS (
                    INSERT INTO chat_members (chat_id, user_id, workspace_id, role)
                    SELECT $1, id, $2, 'member' FROM crowd
                )
                SELECT id FROM crowd
                """,
                chat_id,
                self.workspace_id,
                number,
            )
        return [row["id"] for row in rows]

    async def session_of(self, user_id: int) -> Person:
        """One session more for a user."""
        async with self.database.transaction() as tx:
            caller, _ = await sessions.start(tx, user_id, ttl_s=3600, user_agent="test", address="127.0.0.1")
        return Person(caller, self._tokens.issue(caller.user_id, caller.session_id, time.time()))

    async def chat(self, *members: Person) -> int:
        """A private channel of these people; the first owns it."""
        plan = ChatPlan(
            type=ChatType.PRIVATE_CHANNEL,
            name=f"chat {next(_numbers)}",
            others=tuple(member.id for member in members[1:]),
            workspace_id=self.workspace_id,
            description=None,
        )
        chat, _ = await create_chat(self.database, members[0].caller, plan)
        return chat.id

    async def post(self, author: Person, chat_id: int, content: str) -> Message:
        message, _ = await self.posting.post(author.caller, chat_id, Draft(content=content))
        return message

    def listen(
        self, person: Person, *, cursor: str | None = None, ticket: str | None = None
    ) -> AbstractAsyncContextManager[EventStream]:
        token = None if ticket is not None else person.token
        return listen(self.server.url, token=token, ticket=ticket, last_event_id=cursor)

    async def connection(self) -> Connection:
        """A connection of the test's own, to hold transactions open with."""
        return await asyncpg.connect(self.settings.server.db_url)


async def append_by_hand(connection: Connection, chat_id: int, author: int, text: str) -> None:
    """Post in the caller's transaction, in three statements: the xid is there before the chat's row is locked."""
    await connection.fetchval("SELECT pg_current_xact_id()::text")
    row = await connection.fetchrow(
        "UPDATE chats SET last_seq = last_seq + 1, last_pos = last_pos + 1 WHERE id = $1"
        " RETURNING workspace_id, last_seq, last_pos",
        chat_id,
    )
    assert row is not None
    message_id = await connection.fetchval(
        "INSERT INTO messages (workspace_id, chat_id, seq, sender_id, content)"
        " VALUES ($1, $2, $3, $4, $5) RETURNING id",
        row["workspace_id"],
        chat_id,
        row["last_seq"],
        author,
        text,
    )
    await connection.execute(
        "INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id)"
        " VALUES ($1, $2, $3, 'message.created', $4, $5)",
        f"chat:{chat_id}",
        row["last_pos"],
        row["workspace_id"],
        chat_id,
        message_id,
    )


async def _user(database: Database) -> int:
    number = next(_numbers)
    async with database.transaction() as tx:
        user = await users.insert(
            tx, email=f"person{number}@town.invalid", fullname=f"Person {number}", password_hash=None
        )
    return user.id
