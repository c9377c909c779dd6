"""Sends what waits: at least once, and only to those who may still read it and have not.

Sender.open        with the installation's key
Sender.send_due    all that is due now; returns how many were tried

Several senders share the work: each row is one's for a minute. A row is deleted once the push service has taken it; a
crash in between sends it again, and the device shows it once, by its tag. A push service that is slow is waited for
while the pushes to all others go on.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from pywebpush import WebPusher, WebPushException

from fechatter import logs
from fechatter.config import Settings
from fechatter.domain.vapid import Vapid, new_private_key
from fechatter.push.payload import payload_of, topic_of, urgency_of
from fechatter.push.transport import CONNECTIONS, Outcome, Reply, Transport
from fechatter.store.database import Connection, Database
from fechatter.store.push import deliveries, subscriptions
from fechatter.store.push.deliveries import Due

AT_ONCE = 20
"""Claimed together and sent at once: none of them grows old, or loses its lease, behind others that are slow."""
FOR_ONE = 20
"""With so many under way to one push service, or to one person, no more are claimed for it, or them: anybody may bring
any number of addresses that never answer."""
PATIENCE_S = 0.2
"""What takes longer goes on beside what is claimed next."""
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 1800.0

log = logs.get(__name__)
T = TypeVar("T", str, int)


class Sender:
    """Claims, encrypts, sends, and writes down how it ended."""

    def __init__(self, db: Database, settings: Settings, vapid: Vapid, transport: Transport) -> None:
        self._db = db
        self._name = settings.name
        self._ttl_s = settings.push.ttl_s
        self._vapid = vapid
        self._transport = transport

    @classmethod
    @asynccontextmanager
    async def open(cls, db: Database, settings: Settings) -> AsyncGenerator[Self]:
        async with db.connection() as connection:
            vapid = await vapid_of(connection, settings)
        async with Transport.open(settings.push.allowed_origins) as transport:
            yield cls(db, settings, vapid, transport)

    async def send_due(self) -> int:
        """Until nothing is due or under way. Raises Unavailable."""
        tried = 0
        under_way: dict[asyncio.Task[None], Due] = {}
        try:
            while True:
                claimed = await self._claim(under_way.values())
                under_way |= {asyncio.create_task(self._settle(due)): due for due in claimed}
                tried += len(claimed)
                if not under_way:
                    return tried
                done, _ = await asyncio.wait(under_way, timeout=PATIENCE_S)
                for task in done:
                    del under_way[task]
                    task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _claim(self, under_way: Collection[Due]) -> list[Due]:
        """What there are connections for; `under_way` are the pushes that have one."""
        most = min(AT_ONCE, CONNECTIONS - len(under_way))
        if most <= 0:
            return []
        services = Counter(due.service for due in under_way)
        people = Counter(due.user_id for due in under_way)
        async with self._db.connection() as connection:
            return await deliveries.claim(connection, most, _busy(services), _busy(people))

    async def _settle(self, due: Due) -> None:
        reply = await self._send(due) if _is_wanted(due) else None
        async with self._db.connection() as connection:
            await _write_down(connection, due, reply)

    async def _send(self, due: Due) -> Reply:
        try:
            body = _encrypted(due, payload_of(due, self._name))
        except (ValueError, WebPushException):
            return Reply(Outcome.REFUSED)
        headers = {
            "Authorization": self._vapid.authorization(due.endpoint, time.time()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, min(self._ttl_s, round((due.expires_at - datetime.now(UTC)).total_seconds())))),
            "Urgency": urgency_of(due),
            "Topic": topic_of(due),
        }
        return await self._transport.post(due.endpoint, body, headers)


async def vapid_of(connection: Connection, settings: Settings) -> Vapid:
    """The key that is configured, else the one in the database, made by whoever comes first."""
    key = settings.push.private_key or await subscriptions.private_key(connection, new_private_key())
    return Vapid(key, settings.push.contact or settings.server.public_url or "mailto:operator@localhost")


async def _write_down(connection: Connection, due: Due, reply: Reply | None) -> None:
    if reply is None:
        await deliveries.done(connection, due)
        return
    if reply.outcome is not Outcome.SENT:
        log.info("push.not_sent", subscription=due.subscription_id, outcome=reply.outcome.name, status=reply.status)
    match reply.outcome:
        case Outcome.SENT:
            await deliveries.done(connection, due)
            await subscriptions.used(connection, due.subscription_id)
        case Outcome.GONE:
            await deliveries.done(connection, due)
            await subscriptions.remove_dead(connection, due.subscription_id, due.endpoint)
        case Outcome.REFUSED:
            await deliveries.done(connection, due)
            await subscriptions.refused(connection, due.subscription_id)
        case Outcome.LATER:
            await deliveries.postpone(connection, due, timedelta(seconds=max(reply.wait_s, _wait_s(due.attempts))))


def _busy(under_way: Counter[T]) -> list[T]:
    return [one for one, count in under_way.items() if count >= FOR_ONE]


def _is_wanted(due: Due) -> bool:
    quiet = due.settings.quiet_hours
    is_quiet = quiet is not None and due.message_id != deliveries.TEST and quiet.hold(datetime.now(UTC))
    return due.wanted and not is_quiet


def _wait_s(attempts: int) -> float:
    return min(FIRST_WAIT_S * 2 ** min(attempts - 1, 20), LONGEST_WAIT_S) * random.uniform(0.8, 1.2)  # noqa: S311


def _encrypted(due: Due, payload: bytes) -> bytes:
    keys = {"p256dh": due.p256dh, "auth": due.auth}
    encoded: Any = WebPusher({"endpoint": due.endpoint, "keys": keys}).encode(payload)
    return encoded["body"]
