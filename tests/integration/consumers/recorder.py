"""A handler that remembers what it got, and a program of one, for tests that kill it.

Recorder              fails on demand: with `failing`, or for the messages in `poison`
running(consumer)     a consumer at work during the block
Program               the program below, in a process of its own
python -m tests.integration.consumers.recorder URL    writes what it got into the table `heard`, slowly, until killed
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from fechatter.consumers.consumer import Consumer
from fechatter.consumers.handler import Start, StartOver
from fechatter.domain.messages import Message
from fechatter.store.log.replay import LoggedEvent
from tests.support.waiting import eventually


class Recorder:
    """`heard`: the texts of message events, in the order in which they were handled. `started_over`: why, each time."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.events: list[LoggedEvent] = []
        self.started_over: list[StartOver] = []
        self.failing: Exception | None = None
        self.poison: set[str] = set()
        self.calls = 0

    async def handle(self, events: Sequence[LoggedEvent]) -> None:
        self.calls += 1
        if self.failing is not None:
            raise self.failing
        texts = [event.payload.content for event in events if isinstance(event.payload, Message)]
        if bad := self.poison.intersection(texts):
            raise ValueError(f"cannot swallow {bad}")
        self.heard += texts
        self.events += events

    async def start_over(self, why: StartOver) -> None:
        if self.failing is not None:
            raise self.failing
        self.started_over.append(why)

    async def until(self, *texts: str) -> None:
        """Until all of these have been heard."""
        await self._until(lambda: set(texts) <= set(self.heard), f"{texts} are heard")

    async def until_called(self, times: int) -> None:
        await self._until(lambda: self.calls >= times, f"{times} calls")

    async def until_started_over(self) -> None:
        await self._until(lambda: bool(self.started_over), "it starts over")

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        async def met() -> bool:
            return condition()

        await eventually(met, what)


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncGenerator[None]:
    tasks = [asyncio.ensure_future(consumer.run()) for consumer in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class Program:
    """A consumer in a process of its own, which may be killed and stopped."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.integration.consumers.recorder", url]
        self._process = subprocess.Popen(command)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """It keeps all that it holds, and does nothing from now on."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)


class _Writer:
    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def handle(self, events: Sequence[LoggedEvent]) -> None:
        for event in events:
            if isinstance(event.payload, Message):
                await self._connection.execute("INSERT INTO heard VALUES ($1, pg_backend_pid())", event.payload.content)

    async def start_over(self, why: StartOver) -> None:
        raise AssertionError(why)


async def _main(url: str) -> None:
    connection = await asyncpg.connect(url)
    await Consumer(url, "test", _Writer(connection), start=Start.BEGINNING, batch=7).run()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
