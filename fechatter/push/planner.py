"""The consumer of the event log that finds out whom a message concerns.

Planner   a handler: new messages become deliveries, which lie in the database until they are sent

Whether a push is still wanted is asked again when it is sent: here nothing is final.
"""

from collections.abc import Sequence
from datetime import timedelta

from fechatter.config.tree import Push
from fechatter.consumers.handler import StartOver
from fechatter.domain.events import EventType
from fechatter.domain.messages import Message
from fechatter.store.database import Database
from fechatter.store.log.replay import LoggedEvent
from fechatter.store.push import deliveries

CONSUMER = "push"
TYPES = (EventType.MESSAGE_CREATED.value,)


class Planner:
    """An event that comes again plans nothing twice while its delivery waits; devices drop what they have shown."""

    def __init__(self, db: Database, settings: Push) -> None:
        self._db = db
        self._delay = timedelta(seconds=settings.delay_s)
        self._ttl = timedelta(seconds=settings.ttl_s)

    async def handle(self, events: Sequence[LoggedEvent]) -> None:
        ids = [event.payload.id for event in events if isinstance(event.payload, Message)]
        if ids:
            async with self._db.connection() as connection:
                await deliveries.plan(connection, ids, self._delay, self._ttl)

    async def start_over(self, why: StartOver) -> None:
        """What the log has lost is too old to be news."""
