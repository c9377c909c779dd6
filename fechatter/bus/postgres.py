"""Hints by PostgreSQL's LISTEN/NOTIFY, on a connection of their own.

PostgresBus   listens, notices when the connection has died silently, and connects again
"""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from fechatter import logs
from fechatter.bus.bus import OnEphemeral, OnNews
from fechatter.store.database import AWAY, Connection
from fechatter.store.log import hints
from fechatter.store.log.ephemeral import CHANNEL as EPHEMERAL_CHANNEL

CHANNEL = hints.CHANNEL
BEAT_S = 5.0
"""A listening connection that does not hear itself within this time is given up."""
_LONGEST_PAUSE_S = 2.0

log = logs.get(__name__)


class PostgresBus:
    """Listens to the trigger on `events`.

    alive       whether the connection heard its own beat lately
    _depends    whether those who publish must know that nothing else is heard here
    """

    def __init__(self, url: str, beat_s: float = BEAT_S) -> None:
        self.alive = False
        self._url = url
        self._beat_s = beat_s
        self._depends = False
        self._stirred = asyncio.Event()

    def depend(self, on_notify: bool) -> None:
        """Say to those who publish, or no longer, that they must NOTIFY for us to hear."""
        if self._depends != on_notify:
            self._depends = on_notify
            self._stirred.set()

    async def run(self, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        """Pass hints and ephemeral news on until cancelled; reconnects with growing pauses."""
        pause = 0.05
        while True:
            try:
                async with self._connected() as connection:
                    await self._listen(connection, on_news, on_ephemeral)
                    on_news(None)
                    pause = 0.05
                    await self._beat(connection)
            except (*AWAY, asyncpg.PostgresError) as error:
                log.warning("bus.lost", error=type(error).__name__)
            finally:
                if self.alive:
                    self.alive = False
                    on_news(None)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        connection = await asyncpg.connect(
            self._url,
            timeout=self._beat_s,
            command_timeout=self._beat_s,
            server_settings={"application_name": "fechatter listen", "tcp_keepalives_idle": "30"},
        )
        try:
            yield connection
        finally:
            connection.terminate()

    async def _listen(self, connection: Connection, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        def hear(_connection: object, _pid: object, channel: object, payload: object) -> None:
            (on_news if channel == CHANNEL else on_ephemeral)(str(payload))

        await connection.add_listener(CHANNEL, hear)
        await connection.add_listener(EPHEMERAL_CHANNEL, hear)
        self.alive = True

    async def _beat(self, connection: Connection) -> None:
        """Never return; raise once the connection closes or does not hear what it tells itself."""
        stirred, channel = self._stirred, f"fechatter_beat_{secrets.token_hex(8)}"
        heard, said = asyncio.Event(), False

        def hear(*_about: object) -> None:
            heard.set()

        connection.add_termination_listener(lambda _connection: stirred.set())
        await connection.add_listener(channel, hear)
        while True:
            stirred.clear()
            if self._depends != said:
                said = self._depends
                await (hints.ask if said else hints.withdraw)(connection)
            heard.clear()
            await connection.execute(f"NOTIFY {channel}")
            await asyncio.wait_for(heard.wait(), self._beat_s)
            await _wait(stirred, self._beat_s)
            if connection.is_closed():
                raise ConnectionError("the server closed the connection")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until `event` is set, at most `seconds`."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
