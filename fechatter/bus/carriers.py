"""All that may carry hints to a notify server or a worker, as one bus.

Carriers   PostgreSQL's NOTIFY, and NATS when it is switched on

It always listens to both: which of them a fechatter_server uses is that server's own setting, so that servers can be
switched one by one, in any order. While NATS cannot be heard here, or is switched off here, PostgreSQL knows it
(store/log/hints.py), and fechatter_servers that would use NATS alone notify too.
"""

import asyncio
from collections import OrderedDict
from typing import Self

from fechatter.bus.bus import OnEphemeral, OnNews
from fechatter.bus.interest import Interest
from fechatter.bus.nats import NatsBus
from fechatter.bus.postgres import PostgresBus
from fechatter.config import Settings

REMEMBERED = 4_096


class Carriers:
    """One bus made of two.

    nats      None when it is switched off
    interest  what it has to hear, kept by those who listen
    doubles   ephemeral news that came both ways, dropped the second time
    """

    def __init__(self, postgres: PostgresBus, nats: NatsBus | None, interest: Interest) -> None:
        self.postgres = postgres
        self.nats = nats
        self.interest = interest
        self.doubles = 0
        self._seen: OrderedDict[str, None] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings, interest: Interest, name: str) -> Self:
        """What the settings ask for. `name`: who listens, as NATS shows it."""
        nats = NatsBus(settings.messaging, interest, name) if settings.messaging.enabled else None
        return cls(PostgresBus(settings.server.db_url), nats, interest)

    @property
    def alive(self) -> bool:
        return self.postgres.alive or (self.nats is not None and self.nats.alive)

    @property
    def degraded(self) -> bool:
        """Whether something that is switched on is away, so that hints may be late."""
        return not self.postgres.alive or (self.nats is not None and not self.nats.alive)

    async def run(self, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        def hear_news(stream: str | None) -> None:
            self.postgres.depend(self.nats is None or not self.nats.alive)
            on_news(stream)

        def hear_live(text: str) -> None:
            if self._is_new(text):
                on_ephemeral(text)

        self.postgres.depend(True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.postgres.run(on_news, hear_live))
            if self.nats is not None:
                tasks.create_task(self.nats.run(hear_news, hear_live))

    def _is_new(self, text: str) -> bool:
        """Each piece of news has an id in it, so the same text is the same news."""
        if self.nats is None:
            return True
        if text in self._seen:
            self.doubles += 1
            return False
        self._seen[text] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True
