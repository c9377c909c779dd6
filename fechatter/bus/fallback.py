"""NOTIFY after the commit, many at once: what a publisher does when NATS does not take its news, or not everyone's.

Fallback.tell      these streams have news, these ephemera are to be told
Fallback.needed    whether some notify server depends on NOTIFY
Fallback.run       send, and ask who depends on it, until cancelled
"""

import asyncio
from collections import deque
from collections.abc import Iterable

import asyncpg

from fechatter import logs
from fechatter.domain.errors import DomainError
from fechatter.store.database import Database
from fechatter.store.log import ephemeral, hints

ASK_S = 1.0
MOST_STREAMS, MOST_EPHEMERA = 10_000, 1_000

log = logs.get(__name__)


class Fallback:
    """Gathers while a statement is under way. What does not fit is left to the sweep.

    needed     whether some notify server hears nothing but NOTIFY; true until it is known
    notified   hints that were sent
    """

    def __init__(self) -> None:
        self.needed = True
        self.notified = 0
        self._streams: dict[str, None] = {}
        self._ephemera: deque[str] = deque(maxlen=MOST_EPHEMERA)
        self._some = asyncio.Event()

    def tell(self, streams: Iterable[str], ephemera: Iterable[str] = ()) -> None:
        """Returns at once."""
        if len(self._streams) < MOST_STREAMS:
            self._streams.update(dict.fromkeys(streams))
        self._ephemera.extend(ephemera)
        self._some.set()

    async def run(self, database: Database) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(database))
            tasks.create_task(self._ask(database))

    async def _send(self, database: Database) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            streams, self._streams = list(self._streams), {}
            ephemera = list(self._ephemera)
            self._ephemera.clear()
            try:
                async with database.connection() as connection:
                    if streams:
                        await hints.notify(connection, streams)
                    if ephemera:
                        await ephemeral.tell(connection, ephemera)
            except (DomainError, asyncpg.PostgresError) as error:
                log.warning("fallback.failed", error=type(error).__name__)  # the sweep finds the events
            else:
                self.notified += len(streams)

    async def _ask(self, database: Database) -> None:
        while True:
            try:
                async with database.connection() as connection:
                    needed = await hints.somebody_asks(connection)
            except (DomainError, asyncpg.PostgresError):
                needed = self.needed
            if needed != self.needed:
                log.info("fallback.needed" if needed else "fallback.not_needed")
            self.needed = needed
            await asyncio.sleep(ASK_S)
