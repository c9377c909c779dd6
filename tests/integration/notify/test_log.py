"""The log itself: reading by snapshots beside open transactions, and pruning without a silent skip."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest_asyncio

from fechatter.notify.cursor import Cursor
from fechatter.store.database import Connection
from fechatter.store.log import pruning, replay
from tests.integration.notify.town import Person, Town, append_by_hand
from tests.support.log import forget
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def reader(town: Town) -> AsyncGenerator[Connection]:
    connection = await town.connection()
    yield connection
    await connection.close()


async def _chat(town: Town) -> tuple[Person, int]:
    ada = await town.person()
    return ada, await town.chat(ada)


async def test_each_event_is_new_once_however_transactions_overlap(town: Town, reader: Connection) -> None:
    ada, one = await _chat(town)
    two = await town.chat(ada)
    seen = (await replay.look(reader)).seen
    late = await town.connection()
    transaction = late.transaction()
    await transaction.start()
    await append_by_hand(late, one, ada.id, "late")
    await town.post(ada, two, "early")
    first = await replay.new_events(reader, seen)
    seen = seen.after(first.log.snapshot, max(event.xid for event in first.events))
    assert [event.stream for event in first.events] == [f"chat:{two}"]
    assert not (await replay.new_events(reader, seen)).events
    assert seen.watermark == seen.pending[0] < seen.highest
    await transaction.commit()
    second = await replay.new_events(reader, seen)
    assert [event.stream for event in second.events] == [f"chat:{one}"]
    seen = seen.after(second.log.snapshot, second.events[0].xid)

    async def nothing_pending() -> bool:
        """Other transactions of this PostgreSQL may have run beside these: they end too."""
        nonlocal seen
        news = await replay.new_events(reader, seen)
        assert not news.events
        seen = seen.after(news.log.snapshot, 0)
        return seen.watermark == seen.highest + 1

    await eventually(nothing_pending, "nothing is held up any more")
    await late.close()


async def test_what_was_rolled_back_never_shows_and_holds_nothing_up(town: Town, reader: Connection) -> None:
    ada, chat = await _chat(town)
    seen = (await replay.look(reader)).seen
    undone = await town.connection()
    transaction = undone.transaction()
    await transaction.start()
    await append_by_hand(undone, chat, ada.id, "undone")
    await transaction.rollback()
    await town.post(ada, chat, "kept")
    news = await replay.new_events(reader, seen)
    assert [(event.stream, event.pos) for event in news.events] == [(f"chat:{chat}", 1)]
    await undone.close()


async def test_pruning_raises_the_floor_and_older_cursors_resync(town: Town, reader: Connection) -> None:
    ada, chat = await _chat(town)
    async with town.listen(ada) as stream:
        old = (await stream.hello()).cursor
        await town.post(ada, chat, "to be forgotten")
        await stream.message("to be forgotten")
    cursor = Cursor.parse(old)
    assert cursor is not None
    await forget(town.database)
    floor = (await replay.look(reader)).floor
    assert floor > cursor.xid
    assert not await reader.fetchval("SELECT count(*) FROM events WHERE xid < $1", floor)
    async with town.listen(ada, cursor=old) as stream:
        assert (await stream.hello()).cursor == old  # what the client holds: until it reloads, it has no more
        resync = await stream.until(lambda event: event.kind == "resync_required", "resync_required")
        assert resync.cursor != old
    async with town.listen(ada) as stream:
        fresh = (await stream.hello()).cursor
    await town.post(ada, chat, "later")
    async with town.listen(ada, cursor=fresh) as stream:
        assert (await stream.hello()).cursor == fresh
        assert (await stream.message("later")).place == (f"chat:{chat}", 2)


async def test_pruning_keeps_what_is_within_the_retention(town: Town, reader: Connection) -> None:
    ada, chat = await _chat(town)
    await town.post(ada, chat, "young")
    for _ in range(2):
        assert await pruning.prune(reader, timedelta(days=7), 10_000) == 0
    assert (await replay.look(reader)).floor == 0
