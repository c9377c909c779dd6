"""The pool of connections to PostgreSQL, and what its failures mean to a caller.

Database.open          a pool that is ready, or OperatorError
Database.transaction   one transaction; the actions alone open them
Database.fetch…        a single statement, which is its own transaction
Database.ping          whether the server answers
struct_from            a row as one of the domain's types
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from fechatter.domain.errors import OperatorError, Unavailable
from fechatter.store.log.outbox import CarryingConnection, Outbox, Outlet, outbox_of

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes take no parameters at run time
    Connection = asyncpg.Connection | PoolConnectionProxy
    Pool = asyncpg.Pool
Row = asyncpg.Record
StructT = TypeVar("StructT", bound=msgspec.Struct)

# What a lost or overloaded server looks like from here. The caller may try again; nothing was answered 2xx.
AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,  # a deadlock or a conflict: undone, and worth another try
)
ACQUIRE_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 30.0


class Database:
    """A pool of connections.

    pool     asyncpg's pool; connections that broke are replaced when next asked for
    outlet   told what each unit of work has committed; None: PostgreSQL's NOTIFY alone tells
    """

    def __init__(self, pool: Pool, outlet: Outlet | None = None) -> None:
        self.pool = pool
        self.outlet = outlet

    @classmethod
    async def open(cls, url: str, size: int, name: str = "fechatter", outlet: Outlet | None = None) -> Self:
        """Connect with up to `size` connections. Raises OperatorError if the server cannot be reached."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                timeout=ACQUIRE_TIMEOUT_S,
                command_timeout=STATEMENT_TIMEOUT_S,
                server_settings={"application_name": name, "timezone": "UTC", **(outlet.settings if outlet else {})},
                connection_class=CarryingConnection if outlet else asyncpg.Connection,
            )
        except (*AWAY, asyncpg.PostgresError, ValueError) as error:
            raise unreachable(url, error) from error
        return cls(pool, outlet)

    @property
    def in_use(self) -> int:
        """Connections that work for somebody at this moment."""
        return self.pool.get_size() - self.pool.get_idle_size()

    async def close(self) -> None:
        """Wait up to 5 s for statements under way, then close all connections."""
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """One connection of the pool; at the end the outlet is told what was written with it.

        Raises Unavailable when none can be had or it breaks.
        """
        try:
            async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                outbox = self._empty_outbox(connection)
                yield connection
                # Before the connection goes back: the next who has it begins with an empty outbox.
                events, ephemera = ([], []) if outbox is None else outbox.take()
        except AWAY as error:
            raise Unavailable from error
        if self.outlet is not None and (events or ephemera):
            self.outlet.pass_on(events, ephemera)

    def _empty_outbox(self, connection: Connection) -> Outbox | None:
        if self.outlet is None or (outbox := outbox_of(connection)) is None:
            return None
        outbox.take()
        outbox.takes_ephemera = self.outlet.takes_ephemera
        return outbox

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """One READ COMMITTED transaction: committed at the end, rolled back on any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)

    async def fetch_one(self, sql: str, *args: object) -> Row | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetch_value(self, sql: str, *args: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *args)

    async def ping(self) -> None:
        """Return once the server has answered. Raises Unavailable."""
        await self.fetch_value("SELECT 1")


def struct_from(row: Row, type_: type[StructT]) -> StructT:
    """The struct whose fields the row's columns name."""
    return msgspec.convert(dict(row), type_)


def unreachable(url: str, error: Exception) -> OperatorError:
    """The sentence for a database that cannot be connected to; holds no password."""
    try:
        parts = urlsplit(url)
        where = f"{parts.hostname or 'the local socket'}:{parts.port or 5432}{parts.path}"
    except ValueError:
        where = "the address given"
    reason = " ".join(str(error).split()) or type(error).__name__
    return OperatorError(f"Cannot reach the database at {where} ({reason}): start it, or correct DATABASE_URL.")
