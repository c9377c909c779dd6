"""Resume frames at bad moments, and what hello says when a cursor cannot be honoured."""

import asyncio

import pytest

from tests.clients.feed import Disconnected, Door, Feed, Told, open_feed
from tests.integration.notify.raw import metric
from tests.integration.notify.town import Person, Town

LONG = "long " * 3_000
PATIENCE_S = 30.0


async def feed_of(town: Town, person: Person, cursor: str | None = None, *, speaks_ws: bool = True) -> Feed:
    return await open_feed(Door(town.server.url, speaks_ws, "header", person.token), cursor)


async def greeted(feed: Feed) -> str:
    """The cursor of its hello, which may come behind a heartbeat, in pieces, or together with more."""
    while not (told := await feed.take(PATIENCE_S)):
        pass
    assert told[0].type == "hello"
    assert told[0].cursor
    return told[0].cursor


async def until_message(feed: Feed, seen: list[Told], start: str) -> None:
    """Take what comes, until a message begins so."""
    quoted = f'"content":"{start}'.encode()
    async with asyncio.timeout(PATIENCE_S):
        while not any(quoted in bytes(told.payload) for told in seen):
            seen += await feed.take(PATIENCE_S)


@pytest.mark.usefixtures("unhurried")
async def test_a_reader_that_fell_behind_may_resume_and_gets_its_hello(town: Town) -> None:
    """It asks while its buffer is full: the answer comes once that is read, and not never."""
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    feed = await feed_of(town, bob)
    cursor = await greeted(feed)
    for number in range(60):
        await town.post(ada, chat, f"{number} {LONG}")
    await metric(town.server.port, b"fechatter_notify_fell_behind_total 1.0")
    await feed.resume(cursor)
    seen: list[Told] = []
    await until_message(feed, seen, "59 ")
    greetings = [number for number, told in enumerate(seen) if told.type == "hello"]
    assert len(greetings) == 1
    assert seen[greetings[0]].cursor == cursor
    assert [told.pos for told in seen[greetings[0] + 1 :] if told.stream == f"chat:{chat}"] == list(range(1, 61))
    feed.drop()


async def test_too_many_resume_frames_are_a_bad_frame(town: Town) -> None:
    (ada,) = await town.people(1)
    feed = await feed_of(town, ada)
    cursor = await greeted(feed)
    for _ in range(11):
        await feed.resume(cursor)
    assert await _code_of_closing(feed) == 4409
    feed.drop()


async def _code_of_closing(feed: Feed) -> int | None:
    try:
        while True:
            await feed.take(PATIENCE_S)
    except Disconnected as closed:
        return closed.code


@pytest.mark.parametrize("speaks_ws", [False, True], ids=["sse", "ws"])
@pytest.mark.parametrize("cursor", ["0badcafe.12", "garbage"])
async def test_hello_before_resync_holds_nothing_that_hides_what_was_missed(
    town: Town, cursor: str, speaks_ws: bool
) -> None:
    """A client that is cut off between the two, and comes back with hello's cursor, must be told again."""
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    await town.post(ada, chat, "missed")
    feed = await feed_of(town, bob, cursor, speaks_ws=speaks_ws)
    told: list[Told] = []
    while len(told) < 2:
        told += await feed.take(PATIENCE_S)
    feed.drop()
    assert [event.type for event in told] == ["hello", "resync_required"]
    again = await feed_of(town, bob, told[0].cursor, speaks_ws=speaks_ws)
    seen: list[Told] = []
    async with asyncio.timeout(PATIENCE_S):
        while not any(event.type in ("resync_required", "message.created") for event in seen):
            seen += await again.take(PATIENCE_S)
    again.drop()
