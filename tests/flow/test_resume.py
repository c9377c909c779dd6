"""A stream that breaks goes on where it was; one that cannot says so."""

import asyncio
import re

import pytest

from fechatter.store.database import Database
from tests.clients.api import Api, Person
from tests.clients.shapes import Chat, Message, Resync
from tests.clients.sse import EventStream, listen
from tests.flow.conftest import Crowd
from tests.support import log
from tests.support.stack import Stack


async def group_of(crowd: Crowd) -> tuple[Person, Person, Chat]:
    """Two people with a chat."""
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    return ada, bob, await ada.create_chat("Group", others=[bob, eve])


@pytest.mark.parametrize("way", ["last_event_id", "cursor"])
async def test_what_was_missed_comes_in_order_before_what_is_new(crowd: Crowd, way: str) -> None:
    ada, bob, chat = await group_of(crowd)
    async with crowd.listen(bob) as stream:
        await stream.hello()
        await ada.post(chat, "heard")
        await stream.message("heard")
        cursor = stream.cursor
    missed = [await ada.post(chat, f"missed {n}") for n in range(7)]
    resumed = crowd.listen(bob, cursor=cursor) if way == "cursor" else crowd.listen(bob, last_event_id=cursor)
    async with resumed as stream:
        hello = await stream.hello()
        assert hello.cursor == cursor
        live = await ada.post(chat, "live")
        await stream.message("live")
        told = [event.payload(Message) for event in stream.events if event.kind == "message.created"]
        assert [message for message in told if message.seq > 1] == [*missed, live]


async def test_the_header_wins_over_the_address(crowd: Crowd) -> None:
    """EventSource repeats its address when it reconnects, with the cursor of long ago."""
    ada, bob, chat = await group_of(crowd)
    async with crowd.listen(bob) as stream:
        old = (await stream.hello()).cursor
        await ada.post(chat, "one")
        await ada.post(chat, "two")
        await stream.message("two")
        newer = stream.cursor
    async with crowd.listen(bob, cursor=old, last_event_id=newer) as stream:
        assert (await stream.hello()).cursor == newer


async def test_a_cursor_is_good_at_every_notify_server(crowd: Crowd, second_notify: str) -> None:
    ada, bob, chat = await group_of(crowd)
    async with crowd.listen(bob) as stream:
        cursor = (await stream.hello()).cursor
    posted = await ada.post(chat, "said while away")
    async with crowd.listen(bob, cursor=cursor, at=second_notify) as stream:
        await stream.hello()
        assert (await stream.message("said while away")).payload(Message) == posted


async def test_a_chat_that_was_joined_while_away_is_there_on_return(crowd: Crowd) -> None:
    ada, bob, _ = await group_of(crowd)
    async with crowd.listen(bob) as stream:
        cursor = (await stream.hello()).cursor
    channel = await ada.create_chat("PublicChannel", others=[bob])
    await ada.post(channel, "you are in")
    async with crowd.listen(bob, cursor=cursor) as stream:
        await stream.hello()
        await stream.message("you are in")
        kinds = [event.kind for event in stream.events]
        assert kinds.index("chat.created") < kinds.index("message.created")


async def current_cursor(crowd: Crowd, person: Person) -> str:
    async with crowd.listen(person) as stream:
        return (await stream.hello()).cursor


async def resync_of(stream: EventStream) -> Resync:
    await stream.hello()
    return (await stream.until(lambda event: event.kind == "resync_required", "resync_required")).payload(Resync)


@pytest.mark.parametrize(
    "cursor",
    ["garbage", "0", "-1", "99999999999999999999.1", "x" * 500, "🙂", "../../etc/passwd", "' OR 1=1 --"],
    ids=lambda cursor: cursor[:12],
)
async def test_a_garbage_cursor_asks_for_a_reload_and_the_stream_goes_on(crowd: Crowd, cursor: str) -> None:
    ada, bob, chat = await group_of(crowd)
    async with crowd.listen(bob, cursor=cursor) as stream:
        resync = await resync_of(stream)
        await ada.post(chat, "after it")
        await stream.message("after it")
        assert stream.positions == {f"chat:{chat.id}": 1}
    async with crowd.listen(bob, cursor=resync.cursor) as stream:
        await stream.hello()
        await stream.message("after it")
        assert "resync_required" not in [event.kind for event in stream.events]


async def test_a_cursor_of_another_database_or_of_the_future_asks_for_a_reload(crowd: Crowd) -> None:
    _, bob, _ = await group_of(crowd)
    cursor = await current_cursor(crowd, bob)
    digits = re.findall(r"\d+", cursor)
    assert digits, f"a cursor is opaque, but this test needs its numbers: {cursor}"
    foreign = "".join(chr(ord(char) ^ 1) if char.isalnum() else char for char in cursor.partition(".")[0])
    for other in (cursor.replace(cursor.partition(".")[0], foreign), f"{cursor}9999999"):
        async with crowd.listen(bob, cursor=other) as stream:
            await resync_of(stream)


async def test_a_cursor_below_what_was_pruned_asks_for_a_reload(stack: Stack) -> None:
    """Retention forgets: a client that was away for longer reloads, and is told so. Old or new, nothing is skipped."""
    async with Api(stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        chat = await ada.create_chat("PrivateChannel")
        async with listen(stack.notify_url, token=ada.token) as stream:
            cursor = (await stream.hello()).cursor
            await ada.post(chat, "soon forgotten")
            await stream.message("soon forgotten")
        database = await Database.open(stack.database_url, 2)
        await log.forget(database)
        await database.close()
        async with listen(stack.notify_url, token=ada.token, cursor=cursor) as stream:
            resync = await resync_of(stream)
            await ada.post(chat, "remembered")
            await stream.message("remembered")
        async with listen(stack.notify_url, token=ada.token, cursor=resync.cursor) as stream:
            assert (await stream.hello()).cursor == resync.cursor
            await stream.message("remembered")


async def test_a_new_epoch_makes_every_client_reload(stack: Stack) -> None:
    async with Api(stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        async with listen(stack.notify_url, token=ada.token) as stream:
            cursor = (await stream.hello()).cursor
        done = await asyncio.to_thread(stack.command, "doctor", "--new-epoch")
        assert done.returncode == 0, done.stderr
        async with listen(stack.notify_url, token=ada.token, cursor=cursor) as stream:
            resync = await resync_of(stream)
            assert resync.cursor != cursor


async def test_heartbeats_are_comments_and_come_on_a_silent_stream(crowd: Crowd, second_notify: str) -> None:
    ada = await crowd.sign_up()
    async with crowd.listen(ada, at=second_notify) as stream:
        assert (await stream.hello()).heartbeat_s == pytest.approx(0.2)
        await stream.heartbeat()
        await stream.heartbeat()
        chat = await ada.create_chat("PrivateChannel")
        await ada.post(chat, "between heartbeats")
        await stream.message("between heartbeats")
    assert stream.heartbeats >= 2


async def test_a_message_that_is_replayed_is_the_one_that_was_live(crowd: Crowd) -> None:
    """Also byte for byte, but for the cursor."""
    ada, bob, chat = await group_of(crowd)
    async with crowd.listen(bob) as stream:
        cursor = (await stream.hello()).cursor
        await ada.post(chat, "twice told")
        live = await stream.message("twice told")
    async with crowd.listen(bob, cursor=cursor) as stream:
        await stream.hello()
        again = await stream.message("twice told")
    assert again.raw.partition(b"\n")[2] == live.raw.partition(b"\n")[2]
