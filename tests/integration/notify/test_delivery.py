"""What reaches a reader: everything it may see, in order, once; live, after a gap, and whatever the hints did."""

import asyncio
import re

import pytest

from fechatter.store.migrate import new_epoch
from fechatter.store.people import tickets
from tests.clients.sse import Disconnected, Refused
from tests.integration.notify.raw import dial
from tests.integration.notify.town import Person, Town, append_by_hand
from tests.support.log import come_from_afar


async def test_a_message_reaches_its_chat_and_nobody_else(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    chat, other = await town.chat(ada, bob), await town.chat(ada, eve)
    async with town.listen(bob) as stream:
        await stream.hello()
        await town.post(ada, other, "for Eve")
        await town.post(ada, chat, "for Bob")
        await stream.message("for Bob")
        assert not any(b"for Eve" in event.raw for event in stream.events)


async def test_whoever_joins_hears_the_chat_at_once_beginning_with_the_joining(town: Town) -> None:
    ada, bob = await town.people(2)
    async with town.listen(bob) as stream:
        await stream.hello()
        chat = await town.chat(ada, bob)
        await town.post(ada, chat, "welcome")
        await stream.until(lambda event: event.kind == "chat.created", "chat.created")
        assert (await stream.message("welcome")).place == (f"chat:{chat}", 1)


@pytest.mark.parametrize("content", ["x" * 9_000, "汉" * 2_700, "\x01" * 16_384, "😀" * 16_384])
async def test_any_message_that_is_accepted_is_delivered(town: Town, content: str) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with town.listen(bob) as stream:
        await stream.hello()
        await town.post(ada, chat, content)
        await stream.message(content)


async def test_a_reader_that_resumes_gets_what_it_missed_and_goes_on_live(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with town.listen(bob) as stream:
        await stream.hello()
        await town.post(ada, chat, "before")
        await stream.message("before")
        cursor = stream.cursor
    for number in range(700):
        await town.post(ada, chat, f"missed {number}")
    async with town.listen(bob, cursor=cursor) as stream:
        assert (await stream.hello()).cursor == cursor
        await town.post(ada, chat, "after")
        await stream.message("after")
        texts = re.findall(rb'"content":"missed (\d+)"', b"".join(event.raw for event in stream.events))
        assert [int(text) for text in texts] == list(range(700))


@pytest.mark.parametrize("cursor", ["garbage", "00000000.5", "x" * 5_000, "1.1; DROP", "%00", "-1"])
async def test_a_cursor_of_elsewhere_is_answered_with_resync_and_a_stream_that_goes_on(town: Town, cursor: str) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with town.listen(bob) as stream:
        epoch, _, xid = (await stream.hello()).cursor.partition(".")
    future = f"{epoch}.{int(xid) + 1_000_000}"
    for token in (cursor, future):
        async with town.listen(bob, cursor=token) as stream:
            await stream.hello()
            await stream.until(lambda event: event.kind == "resync_required", "resync_required")
            await town.post(ada, chat, f"live {len(token)}")
            await stream.message(f"live {len(token)}")


async def test_a_transaction_that_ends_late_is_delivered_and_no_cursor_passed_it(town: Town) -> None:
    ada, bob = await town.people(2)
    slow, fast = await town.chat(ada, bob), await town.chat(ada, bob)
    late = await town.connection()
    async with town.listen(bob) as stream:
        await stream.hello()
        transaction = late.transaction()
        await transaction.start()
        await append_by_hand(late, slow, ada.id, "late")
        for number in range(20):
            await town.post(ada, fast, f"early {number}")
        await stream.message("early 19")
        cursor = stream.cursor
        await transaction.commit()
        await stream.message("late")
    async with town.listen(bob, cursor=cursor) as stream:
        await stream.hello()
        await stream.message("late")
    await late.close()


async def test_inverted_xids_of_one_stream_arrive_by_position(town: Town) -> None:
    """The later transaction takes the chat's row first: its event has the lower position and the higher xid."""
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    first, second = await town.connection(), await town.connection()
    async with town.listen(bob) as stream:
        await stream.hello()
        one, two = first.transaction(), second.transaction()
        await one.start()
        await first.fetchval("SELECT pg_current_xact_id()::text")
        await two.start()
        await append_by_hand(second, chat, ada.id, "second xid, first place")
        waiting = asyncio.create_task(append_by_hand(first, chat, ada.id, "first xid, second place"))
        await two.commit()
        await waiting
        await one.commit()
        assert (await stream.message("second xid, first place")).place[1] == 1
        assert (await stream.message("first xid, second place")).place[1] == 2
    await first.close()
    await second.close()


async def test_without_notify_the_sweep_delivers(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with town.database.connection() as connection:
        await connection.execute("ALTER TABLE events DISABLE TRIGGER events_notify")
    async with town.listen(bob) as stream:
        await stream.hello()
        await town.post(ada, chat, "unheralded")
        await stream.message("unheralded")


@pytest.mark.parametrize("name", ["fechatter listen", "fechatter sequencer", "fechatter notify", "fechatter"])
async def test_a_killed_database_connection_costs_no_event(town: Town, name: str) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    killer = await town.connection()
    async with town.listen(bob) as stream:
        await stream.hello()
        for number in range(5):
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1"
                " AND application_name <> 'fechatter' AND pid <> pg_backend_pid() AND datname = current_database()",
                f"{name}%",
            )
            await town.post(ada, chat, f"number {number}")
        for number in range(5):
            await stream.message(f"number {number}")
    await killer.close()


async def test_a_burst_larger_than_a_look_arrives_whole_and_in_order(town: Town) -> None:
    ada, bob = await town.people(2)
    chats = [await town.chat(ada, bob) for _ in range(3)]
    at_once = await town.connection()
    async with town.listen(bob) as stream:
        await stream.hello()
        async with at_once.transaction():
            for number in range(1_500):
                await append_by_hand(at_once, chats[number % 3], ada.id, f"n{number}.")
        await stream.until(
            lambda _: sum(event.kind == "message.created" for event in stream.events) == 1_500, "1,500 messages"
        )
    await at_once.close()


async def test_a_chat_of_1200_members_hears_every_message(town: Town) -> None:
    ada = await town.person()
    chat = await town.chat(ada)
    crowd = await town.crowd(chat, 1_200)
    people = [await town.session_of(crowd[600]), await town.session_of(crowd[-1])]
    async with town.listen(people[1]) as last, town.listen(people[0]) as middle:
        await last.hello()
        await middle.hello()
        await town.post(ada, chat, "to all")
        await last.message("to all")
        await middle.message("to all")


async def test_a_ticket_opens_one_stream(town: Town) -> None:

    ada = await town.person()
    async with town.database.connection() as connection:
        ticket = await tickets.issue(connection, ada.caller)
        expired = await tickets.issue(connection, ada.caller, ttl_s=-1)
    async with town.listen(ada, ticket=ticket) as stream:
        await stream.hello()
    for bad in (ticket, expired, "nonsense"):
        with pytest.raises(Refused) as refused:
            async with town.listen(ada, ticket=bad):
                pass
        refused.value.answer.problem(401, "unauthenticated")


async def test_a_new_epoch_makes_every_reader_reload_and_go_on(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with town.listen(bob) as stream:
        old = (await stream.hello()).cursor
        async with town.database.connection() as connection:
            await new_epoch(connection)
        told = await stream.until(lambda event: event.kind == "resync_required", "resync_required")
        assert told.cursor is not None
        assert told.cursor.split(".")[0] != old.split(".")[0]
        await town.post(ada, chat, "anew")
        await stream.message("anew")


async def test_a_log_that_came_from_another_cluster_hides_nothing_of_the_new_epoch(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    await town.post(ada, chat, "before the dump")
    async with town.database.connection() as connection:
        await come_from_afar(connection)
    async with town.listen(bob) as stream:
        cursor = (await stream.hello()).cursor
        await town.post(ada, chat, "live")
        await stream.message("live")
    await town.post(ada, chat, "missed")
    async with town.listen(bob, cursor=cursor) as stream:
        await stream.message("live")
        await stream.message("missed")


async def test_an_idle_reader_gets_heartbeats(town: Town) -> None:
    ada = await town.person()
    async with dial(town.server.port) as wire:
        await wire.send(f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode())
        await wire.until(b"\n: heartbeat\n\n")


async def test_a_drained_server_says_goodbye_with_a_time_to_come_back(town: Town) -> None:
    people: list[Person] = await town.people(3)
    async with town.listen(people[0]) as one, town.listen(people[1]) as two:
        await one.hello()
        await two.hello()
        town.server.tell_to_stop()
        waits: list[int] = []
        for stream in (one, two):
            last = await stream.until(lambda event: event.kind == "goodbye", "goodbye")
            assert b'"code":4000' in last.raw
            assert b'"reconnect":true' in last.raw
            waits += [int(found) for found in re.findall(rb'"retry_ms":(\d+)', last.raw)]
            with pytest.raises(Disconnected):
                await stream.next()
        assert all(wait > 0 for wait in waits)
        assert len(waits) == 2
