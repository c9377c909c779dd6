"""NATS carries the news of what was committed; when it cannot, PostgreSQL does. Nothing is lost either way."""

# nats-py leaves some optional parameters without types.
# pyright: reportUnknownMemberType=false

import asyncio
import json
import urllib.request
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from msgspec.structs import replace
from nats.aio.client import Client

from deploy.nats.cluster import Cluster
from fechatter.bus import jetstream, nats_publisher, subjects
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.config import Settings
from fechatter.domain.events import EventType, Typing, stream_of_chat
from fechatter.store.log import hints
from fechatter.store.log.ephemeral import announce
from tests.integration.notify.town import Town
from tests.support.nats import messaging_of
from tests.support.waiting import eventually

PATIENCE_S = 30.0
LISTENS = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fechatter listen'
          AND state = 'idle' AND query LIKE 'NOTIFY fechatter_beat_%')
    """


@pytest_asyncio.fixture
async def nats_town(settings: Settings, nats: Cluster, patient: None) -> AsyncGenerator[Town]:
    """People and a notify_server; what they do is told by NATS alone, from the beginning."""
    async with Town.open(replace(settings, messaging=messaging_of(nats))) as town:
        await carried(town)
        yield town


async def test_a_post_reaches_a_stream_by_nats_and_pays_no_notify(nats_town: Town) -> None:
    ada, bob = await nats_town.people(2)
    chat = await nats_town.chat(ada, bob)
    async with nats_town.listen(bob) as stream, notifications(nats_town) as notified:
        await stream.hello()
        await carried(nats_town)
        notified.clear()
        for number in range(5):
            await nats_town.post(ada, chat, f"number {number}")
            await stream.message(f"number {number}")
        assert not notified
        # The sweep may have been quicker.
        await until(lambda: metric(nats_town, "fechatter_notify_nats_hints_total") >= 5)


async def test_a_message_carries_places_and_the_id_of_its_last_one(nats_town: Town, nats: Cluster) -> None:
    ada = await nats_town.person()
    chat = await nats_town.chat(ada)
    async with connected(nats) as client:
        subject = subjects.of_workspace(nats_town.workspace_id)
        heard = await client.subscribe(subject)
        await client.flush()
        await nats_town.post(ada, chat, "not to be read on the way")
        message = await heard.next_msg(PATIENCE_S)
    assert message.headers
    place = message.headers["Nats-Msg-Id"]
    assert message.data.decode() == place
    assert place.startswith(f"{stream_of_chat(chat)}@")


async def test_a_notify_server_takes_only_the_workspaces_of_those_connected(nats_town: Town, nats: Cluster) -> None:
    ada = await nats_town.person()
    chat = await nats_town.chat(ada)
    await carried(nats_town)  # that there is a chat, too: it is no news any more
    async with nats_town.listen(ada) as stream, connected(nats) as client:
        await stream.hello()
        await until(lambda: metric(nats_town, "fechatter_notify_nats_subjects") == 2)  # hers, and the workspace's
        hints = metric(nats_town, "fechatter_notify_nats_hints_total")
        await client.publish(subjects.of_workspace(nats_town.workspace_id + 1), b"chat:999@1")
        await client.publish(subjects.of_workspace(nats_town.workspace_id), f"chat:{chat}@1".encode())
        await until(lambda: metric(nats_town, "fechatter_notify_nats_hints_total") > hints)
        assert metric(nats_town, "fechatter_notify_nats_hints_total") == hints + 1, "it would have come before ours"
        await nats_town.post(ada, chat, "ours")
        await stream.message("ours")
    await until(lambda: metric(nats_town, "fechatter_notify_nats_subjects") == 0)


async def test_without_nats_posts_arrive_by_notify_and_ready_says_degraded(nats_town: Town, nats: Cluster) -> None:
    ada, bob = await nats_town.people(2)
    chat = await nats_town.chat(ada, bob)
    async with nats_town.listen(bob) as stream, notifications(nats_town) as notified:
        await stream.hello()
        nats.nodes[0].kill()
        await until(lambda: ready_of(nats_town) == ("degraded", "away: it does not listen"))
        await nats_town.post(ada, chat, "on the old road")
        await stream.message("on the old road")
        await until(lambda: stream_of_chat(chat) in notified)
        nats.nodes[0].start()
        await carried(nats_town)
        notified.clear()
        await nats_town.post(ada, chat, "on the new one")
        await stream.message("on the new one")
        assert not notified


async def test_a_notify_server_that_does_not_use_nats_is_notified(settings: Settings, nats: Cluster) -> None:
    """The order in which servers are switched over does not matter."""
    async with Town.open(replace(settings, messaging=messaging_of(nats)), server=settings) as town:
        ada, bob = await town.people(2)
        chat = await town.chat(ada, bob)
        async with town.listen(bob) as stream, notifications(town) as notified:
            await stream.hello()
            await eventually(lambda: asks(town), "the notify_server asks for NOTIFY")
            await until(lambda: publisher_of(town).alive and publisher_of(town).fallback.needed)
            await town.post(ada, chat, "hello")
            await stream.message("hello")
            await until(lambda: stream_of_chat(chat) in notified)


async def test_a_store_that_was_lost_is_made_again(
    nats_town: Town, nats: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_publisher, "ANSWER_S", 0.5)  # that nobody answers is all that tells
    ada = await nats_town.person()
    chat = await nats_town.chat(ada)
    publisher = publisher_of(nats_town)
    await carried(nats_town)
    async with connected(nats) as client:
        await client.jsm().delete_stream(jetstream.NAME)
    async with nats_town.listen(ada) as stream:
        await stream.hello()
        await nats_town.post(ada, chat, "into the void")
        await stream.message("into the void")
        await until(lambda: publisher.alive and not publisher.unanswered)
    async with connected(nats) as client:
        info = await client.jsm().stream_info(jetstream.NAME)
        assert info.state.messages >= 1


async def test_a_message_published_again_is_kept_once(nats_town: Town, nats: Cluster) -> None:
    """What was not answered goes again with the same id; JetStream drops it, and so does whoever has seen it."""
    ada = await nats_town.person()
    chat = await nats_town.chat(ada)
    async with nats_town.listen(ada) as stream, connected(nats) as client:
        await stream.hello()
        heard = await client.subscribe(subjects.of_workspace(nats_town.workspace_id))
        await client.flush()
        await nats_town.post(ada, chat, "once")
        await stream.message("once")
        message = await heard.next_msg(PATIENCE_S)
        await carried(nats_town)  # and kept, by now
        before = await kept(client, message.subject)
        answer = await client.jetstream().publish(message.subject, message.data, headers=message.headers)
        assert answer.duplicate
        assert await kept(client, message.subject) == before
        await nats_town.post(ada, chat, "twice")
        await stream.message("twice")
        contents = [event.raw for event in stream.events if b'"content":"once"' in event.raw]
        assert len(contents) == 1


@pytest.mark.usefixtures("patient")
async def test_typing_goes_by_nats_and_comes_once_while_both_carry(settings: Settings, nats: Cluster) -> None:
    async with Town.open(replace(settings, messaging=messaging_of(nats, "both"))) as town:
        ada, bob = await town.people(2)
        chat = await town.chat(ada, bob)
        async with town.listen(bob) as stream:
            await stream.hello()
            await carried(town)
            async with town.database.connection() as connection:
                await announce(connection, EventType.TYPING, stream_of_chat(chat), Typing(chat_id=chat, user_id=ada.id))
            await until(lambda: metric(town, "fechatter_notify_doubles_total") == 1)
            await town.post(ada, chat, "done typing")
            await stream.message("done typing")
            assert [event.kind for event in stream.ephemera].count("typing") == 1


async def carried(town: Town) -> None:
    """Return once both ends have NATS, all that was published is kept, and nobody asks for NOTIFY, which is heard."""

    async def are_carried() -> bool:
        listens, asked = await town.database.fetch_value(LISTENS), await asks(town)
        publisher = publisher_of(town)
        depends = publisher.takes_ephemera and (asked or publisher.fallback.needed)
        return listens and publisher.alive and not publisher.unanswered and not depends

    await until(lambda: ready_of(town) == ("ready", "ok"))
    await eventually(are_carried, "news is carried by NATS")


async def asks(town: Town) -> bool:
    """Whether a notify_server depends on NOTIFY."""
    async with town.database.connection() as connection:
        return await hints.somebody_asks(connection)


async def kept(client: Client, subject: str) -> int:
    """How many messages of a subject JetStream has."""
    info = await client.jsm().stream_info(jetstream.NAME, subjects_filter=subject)
    return (info.state.subjects or {}).get(subject, 0)


def publisher_of(town: Town) -> NatsPublisher:
    assert town.publisher is not None
    return town.publisher


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - others change it, in threads and processes
            await asyncio.sleep(0.02)


def ready_of(town: Town) -> tuple[str, str]:
    """What /ready says, which answers 200, and of NATS."""
    with urllib.request.urlopen(f"{town.server.url}/ready", timeout=10) as answer:  # noqa: S310 - http, here
        said = json.load(answer)
    return said["status"], said["checks"]["nats"]


def metric(town: Town, name: str) -> float:
    with urllib.request.urlopen(f"{town.server.url}/metrics", timeout=10) as answer:  # noqa: S310 - http, here
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@asynccontextmanager
async def notifications(town: Town) -> AsyncGenerator[list[str]]:
    """The streams that PostgreSQL notifies of."""
    heard: list[str] = []
    connection = await asyncpg.connect(town.settings.server.db_url)

    def hear(_connection: object, _pid: object, _channel: object, payload: object) -> None:
        heard.append(str(payload))

    await connection.add_listener(hints.CHANNEL, hear)
    try:
        yield heard
    finally:
        await connection.close()


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncGenerator[Client]:
    """A client of the test's own, that may do anything."""
    client = Client()
    await client.connect(cluster.admin_url, allow_reconnect=False, connect_timeout=int(PATIENCE_S))
    try:
        yield client
    finally:
        await client.close()
