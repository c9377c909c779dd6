"""What a unit of work wrote is passed on once it has committed, whole and once, and never otherwise."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest
import pytest_asyncio

from fechatter.config import Settings
from fechatter.domain.events import Event, EventType, stream_of_user
from fechatter.domain.people import User
from fechatter.store.database import Database
from fechatter.store.log import event_log
from fechatter.store.log.outbox import Written
from fechatter.store.people import users


class Told:
    """An outlet that remembers."""

    takes_ephemera = True
    settings = {"fechatter.notify": "off"}  # noqa: RUF012 - nobody changes it

    def __init__(self) -> None:
        self.events: list[Written] = []
        self.ephemera: list[str] = []

    def pass_on(self, events: list[Written], ephemera: list[str]) -> None:
        self.events += events
        self.ephemera += ephemera


@pytest.fixture
def told() -> Told:
    return Told()


@pytest_asyncio.fixture
async def database(settings: Settings, told: Told) -> AsyncGenerator[Database]:
    """With one connection, which all units of work share one after the other."""
    database = await Database.open(settings.server.db_url, 1, outlet=told)
    yield database
    await database.close()


async def test_events_are_passed_on_after_the_commit(database: Database, told: Told) -> None:
    user = await somebody(database)
    async with database.transaction() as tx:
        positions = await event_log.append(tx, [update_of(user), update_of(user)])
        assert not told.events
    assert told.events == [Written(stream_of_user(user.id), pos, None) for pos in positions]


async def test_what_was_rolled_back_is_not_passed_on_nor_what_comes_after_it_spoiled(
    database: Database, told: Told
) -> None:
    user = await somebody(database)

    async def fail() -> None:
        async with database.transaction() as tx:
            await event_log.append(tx, [update_of(user)])
            await tx.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    async with database.transaction() as tx:
        await event_log.append(tx, [update_of(user)])
    assert [event.pos for event in told.events] == [1]


async def test_units_that_hand_a_connection_to_each_other_lose_nothing(database: Database, told: Told) -> None:
    """Between giving a connection back and passing on what it wrote, another may have taken it."""
    user = await somebody(database)

    async def append() -> None:
        async with database.transaction() as tx:
            await event_log.append(tx, [update_of(user)])

    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(append())
    assert sorted(event.pos for event in told.events) == list(range(1, 101))


async def test_connections_with_an_outlet_do_not_notify_and_others_do(database: Database, settings: Settings) -> None:
    user = await somebody(database)
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(_connection: object, _pid: object, _channel: object, payload: object) -> None:
        heard.put_nowait(str(payload))

    listener = await asyncpg.connect(settings.server.db_url)
    plain = await Database.open(settings.server.db_url, 1)
    try:
        await listener.add_listener("fechatter_events", hear)
        async with database.transaction() as tx:
            await event_log.append(tx, [update_of(user)])
        await listener.fetchval("SELECT 1")
        assert heard.empty()
        async with plain.transaction() as tx:
            await event_log.append(tx, [update_of(user)])
        assert await asyncio.wait_for(heard.get(), 30) == stream_of_user(user.id)
    finally:
        await plain.close()
        await listener.close()


async def somebody(database: Database) -> User:
    async with database.transaction() as tx:
        return await users.insert(tx, email="a@example.org", fullname="Ada", password_hash=None)


def update_of(user: User) -> Event:
    return Event(stream=stream_of_user(user.id), type=EventType.USER_UPDATED, payload=user)
