"""Fixtures of the push tests: a push service of this machine, and a world that may send there.

service   the push service
slow      another one
pushing   people with devices, and the planner and sender run by hand
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from fechatter.config import Settings
from fechatter.config.tree import Push
from fechatter.push.sender import Sender
from fechatter.store.push import deliveries
from tests.clients.api import Person
from tests.clients.shapes import Message
from tests.support.push_service import Device, PushService
from tests.support.world import World


class Subscribed(msgspec.Struct):
    id: int


class Pushing:
    """A world whose worker runs when the test says so."""

    def __init__(self, world: World, service: PushService, sender: Sender) -> None:
        self.world = world
        self.service = service
        self._sender = sender

    async def device_of(self, person: Person, service: PushService | None = None) -> tuple[Device, int]:
        """A new device of theirs, and its id."""
        device = (service or self.service).device()
        answer = await person.ask("POST", "/api/push/subscriptions", device.form)
        return device, answer.json(Subscribed, 201).id

    async def plan(self, *messages: Message) -> None:
        """What a worker does with the events of these messages."""
        async with self.world.db.connection() as connection:
            ids = [message.id for message in messages]
            await deliveries.plan(connection, ids, timedelta(), timedelta(hours=1))

    async def work(self, *messages: Message) -> None:
        """Plan, and send until nothing is due."""
        await self.plan(*messages)
        await self.send()

    async def send(self) -> None:
        await self._sender.send_due()

    async def waiting(self) -> int:
        return await self.world.db.fetch_value("SELECT count(*) FROM push_deliveries")

    async def hurry(self) -> None:
        """What was postponed is due now."""
        await self.world.db.fetch("UPDATE push_deliveries SET due_at = now()")


@pytest.fixture
async def service() -> AsyncGenerator[PushService]:
    async with PushService.start() as running:
        yield running


@pytest.fixture
async def slow() -> AsyncGenerator[PushService]:
    async with PushService.start() as running:
        yield running


@pytest.fixture
async def five() -> AsyncGenerator[list[PushService]]:
    async with AsyncExitStack() as running:
        yield [await running.enter_async_context(PushService.start()) for _ in range(5)]


@pytest.fixture
async def pushing(
    settings: Settings, service: PushService, slow: PushService, five: list[PushService]
) -> AsyncGenerator[Pushing]:
    origins = tuple(one.origin for one in (service, slow, *five))
    chosen = replace(settings, push=Push(allowed_origins=origins, delay_s=0))
    async with World.open(chosen) as world, Sender.open(world.db, chosen) as sender:
        yield Pushing(world, service, sender)
