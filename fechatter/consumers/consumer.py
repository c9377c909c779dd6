"""A durable consumer of the event log: each event at least once, whatever dies, with one at work for each name.

Consumer.run    work, or wait for the one that works to end, until cancelled
Consumer.wake   there may be news; without it the log is looked at every POLL_S

The log is read by snapshots (decision 0001), so what commits late is not skipped. The checkpoint is written after the
handler has returned, on the connection that holds the name: who has lost the name cannot write it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from fechatter import logs
from fechatter.consumers.handler import Handler, Start
from fechatter.consumers.term import BEAT_S, Failed, Term
from fechatter.store.database import AWAY, Connection
from fechatter.store.log import consumers as store

POLL_S = 1.0
GATHER_S = 0.01
"""News is waited for so long after a hint: a hundred posts become one batch."""
BATCH = 500
LONGEST_PAUSE_S = 30.0
STALE = timedelta(seconds=60)
"""One that holds the name without a sign of life for so long is stopped, or cut off from the network."""
STATEMENT_TIMEOUT_S = 30.0

log = logs.get(__name__)


class Consumer:
    """Hands the events of the log to `handler`. Any number may run under one name; one of them works.

    name      which checkpoint is its own; for ever
    at_work   whether it is this one that works now
    """

    def __init__(
        self,
        url: str,
        name: str,
        handler: Handler,
        *,
        start: Start = Start.NOW,
        types: Sequence[str] | None = None,
        batch: int = BATCH,
        poll_s: float = POLL_S,
    ) -> None:
        self.name = name
        self.at_work = False
        self._url = url
        self._handler = handler
        self._start = start
        self._types = types
        self._batch = batch
        self._poll_s = poll_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be news: look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled. While the database is away, keep trying; nothing is lost by that."""
        pause = 0.05
        while True:
            try:
                async with self._connected() as connection:
                    await self._await_turn(connection)
                    pause = 0.05
                    await self._work(connection)
            except (*AWAY, asyncpg.PostgresError) as error:
                log.warning("consumer.lost", consumer=self.name, error=type(error).__name__)
            finally:
                self.at_work = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(pause * 2, 2.0)

    async def _await_turn(self, connection: Connection) -> None:
        """The database tells nobody that a lock has become free to try for: it is asked for."""
        while not await store.take(connection, self.name, STALE):  # noqa: ASYNC110
            await asyncio.sleep(self._poll_s)

    async def _work(self, connection: Connection) -> None:
        term = Term(connection, self.name, self._handler, self._start, self._types, self._batch)
        await term.begin()
        self.at_work = True
        pause = 0.1
        while True:
            self._woken.clear()
            try:
                complete = await term.turn()
            except Failed as failure:
                log.warning("consumer.failed", consumer=self.name, error=str(failure), failures=failure.times)
                await self._pause(connection, pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            pause = 0.1
            if complete:
                await self._rest()

    async def _rest(self) -> None:
        """Until there may be news, at most the time of a poll."""
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
                await asyncio.sleep(GATHER_S)
        except TimeoutError:
            return

    async def _pause(self, connection: Connection, seconds: float) -> None:
        while seconds > 0:
            await asyncio.sleep(min(seconds, BEAT_S))
            await store.beat(connection, self.name)
            seconds -= BEAT_S

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        connection = await asyncpg.connect(
            self._url,
            timeout=STATEMENT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings={
                "application_name": f"fechatter consumer {self.name}",
                "timezone": "UTC",
                # A checkpoint that a crash of the database takes back means events twice, never a lost one.
                "synchronous_commit": "off",
            },
        )
        try:
            yield connection
        finally:
            connection.terminate()
