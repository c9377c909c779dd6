"""Both ends of what NATS carries, as the services have them.

Line.open       they run
Line.stands     wait until both say so
Line.tell       some news
Line.carries    wait until news has come through NATS
Line.notifies   wait until it has come by NOTIFY
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

from fechatter.bus.carriers import Carriers
from fechatter.bus.interest import Interest
from fechatter.bus.nats import NatsBus
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.bus.postgres import PostgresBus
from fechatter.bus.subjects import of_user
from fechatter.config import Messaging
from fechatter.domain.events import stream_of_user
from fechatter.store.database import Database
from fechatter.store.log import hints
from fechatter.store.log.outbox import Written
from tests.support.waiting import PATIENCE_S, eventually

USER = 7
STREAM = stream_of_user(USER)
_positions = count(1)


class Line:
    """`heard`: the streams there was news of, by whatever carrier."""

    def __init__(self, messaging: Messaging, database: Database, url: str) -> None:
        self._database = database
        interest = Interest()
        interest.gain(of_user(USER))
        self.publisher = NatsPublisher(messaging, "test")
        self.nats = NatsBus(messaging, interest, "test")
        self.bus = Carriers(PostgresBus(url, beat_s=PATIENCE_S), self.nats, interest)
        self.heard: list[str | None] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, messaging: Messaging, database: Database, url: str) -> AsyncGenerator["Line"]:
        line = cls(messaging, database, url)
        ends = [
            asyncio.create_task(line.publisher.run(database)),
            asyncio.create_task(line.bus.run(line.heard.append, lambda _text: None)),
        ]
        try:
            yield line
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends, timeout=PATIENCE_S)

    @property
    def standings(self) -> set[str]:
        return {self.publisher.standing, self.nats.standing}

    async def stands(self, standing: str) -> None:
        async def stands() -> bool:
            return self.standings == {standing}

        await eventually(stands, f"both ends say {standing!r}")

    async def carries(self) -> None:
        """Heard, and answered by JetStream."""
        hints, answered = self.nats.hints, self.publisher.answered
        self.tell()

        async def carried() -> bool:
            done = self.nats.hints > hints and self.publisher.answered > answered and not self.publisher.unanswered
            return done and STREAM in self.heard

        await eventually(carried, "the news is carried")

    async def notifies(self) -> None:
        """Heard by PostgreSQL's NOTIFY, once it is known that it has to be."""

        async def ready() -> bool:
            async with self._database.connection() as connection:
                asked = await hints.somebody_asks(connection)
            known = not self.publisher.alive or (asked and self.publisher.fallback.needed)
            return known and self.bus.postgres.alive

        await eventually(ready, "the publisher knows that NATS will not do, and PostgreSQL is listened to")
        notified = self.publisher.fallback.notified
        self.tell()

        async def told() -> bool:
            return self.publisher.fallback.notified > notified and STREAM in self.heard

        await eventually(told, "NOTIFY stands in")

    def tell(self) -> None:
        """News that was never told before: NATS keeps each once."""
        self.heard.clear()
        self.publisher.pass_on([Written(STREAM, next(_positions), None)], [])


OpenLine = Callable[[Messaging], AbstractAsyncContextManager[Line]]
