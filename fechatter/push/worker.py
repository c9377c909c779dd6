"""Web Push in a worker.

run   follow the log and send, until cancelled; any number may run
"""

import asyncio

import asyncpg

from fechatter import logs
from fechatter.config import Settings
from fechatter.consumers.consumer import Consumer
from fechatter.domain.errors import DomainError
from fechatter.push.planner import CONSUMER, TYPES, Planner
from fechatter.push.sender import Sender
from fechatter.store.database import AWAY, Database

LOOK_S = 0.5

log = logs.get(__name__)


async def run(settings: Settings, db: Database) -> None:
    """Raises OperatorError for a key that is none."""
    consumer = Consumer(settings.server.db_url, CONSUMER, Planner(db, settings.push), types=TYPES)
    async with Sender.open(db, settings) as sender:
        await asyncio.gather(consumer.run(), _send(sender))


async def _send(sender: Sender) -> None:
    while True:
        try:
            await sender.send_due()
        except (DomainError, asyncpg.PostgresError, *AWAY) as error:
            log.warning("push.failed", error=type(error).__name__)
        await asyncio.sleep(LOOK_S)
