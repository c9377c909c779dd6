"""How far people have read; who is typing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from fechatter.store.log.ephemeral import CHANNEL
from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat
from tests.support.waiting import PATIENCE_S
from tests.support.world import World

LAST_TOLD = "SELECT at FROM typing WHERE user_id = $1"


class Position(msgspec.Struct, frozen=True):
    user_id: int
    last_read_seq: int
    read_at: datetime | None


class Heard:
    """What notify servers are told that is not in the log."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._news: asyncio.Queue[str] = asyncio.Queue()

    def hear(self, _connection: object, _pid: object, _channel: object, payload: object) -> None:
        self._news.put_nowait(str(payload))

    async def all(self) -> list[dict[str, Any]]:
        """Everything so far, without the ids, of which each has one of its own.

        Notifications come in order, so a mark of our own comes after them.
        """
        await self._connection.execute(f"NOTIFY {CHANNEL}, 'mark'")
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE_S):
            while (news := await self._news.get()) != "mark":
                found.append(msgspec.json.decode(news))
        ids = [each.pop("id") for each in found]
        assert len(set(ids)) == len(ids)
        return found


@asynccontextmanager
async def listening(world: World) -> AsyncGenerator[Heard]:
    connection = await asyncpg.connect(world.settings.server.db_url)
    heard = Heard(connection)
    await connection.add_listener(CHANNEL, heard.hear)
    yield heard
    await connection.close()


async def read(person: Person, chat: Chat, seq: object) -> Answer:
    return await person.ask("POST", f"/api/chats/{chat.id}/read", {"seq": seq})


async def positions(person: Person, chat: Chat) -> dict[int, int]:
    found = (await person.ask("GET", f"/api/chats/{chat.id}/receipts")).list_of(Position)
    return {position.user_id: position.last_read_seq for position in found}


async def test_a_read_position_never_moves_back_nor_beyond_the_newest(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    for n in range(5):
        await ada.post(chat, f"{n} @bob")
    for seq, then in ((2, 2), (1, 2), (0, 2), (2**63 - 1, 5), (3, 5)):
        (await read(bob, chat, seq)).nothing()
        assert await positions(ada, chat) == {ada.id: 5, bob.id: then}
    [seen] = await bob.chats()
    assert (seen.unread_count, seen.mention_count, seen.last_read_seq) == (0, 0, 5)


async def test_unread_and_mentions_count_what_is_behind_the_position(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    for n in range(4):
        await ada.post(chat, f"{n} @bob" if n % 2 else f"{n}")
    for seq, unread, mentions in ((0, 4, 2), (2, 2, 1), (3, 1, 1), (4, 0, 0)):
        await read(bob, chat, seq)
        [seen] = await bob.chats()
        assert (seen.unread_count, seen.mention_count) == (unread, mentions)


async def test_posting_moves_the_senders_own_position(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    await ada.post(chat, "one")
    await bob.post(chat, "two")
    assert await positions(bob, chat) == {ada.id: 1, bob.id: 2}


async def test_the_readers_devices_get_a_receipt_in_the_log_and_the_others_a_passing_one(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    await ada.post(chat, "one")
    before = len(await world.events(f"user:{bob.id}"))
    async with listening(world) as heard:
        await read(bob, chat, 1)
        await read(bob, chat, 1)
        receipt = {"chat_id": chat.id, "user_id": bob.id, "last_read_seq": 1}
        news = [each for each in await heard.all() if each["type"] == "receipt.updated"]
    assert news == [{"type": "receipt.updated", "to": f"chat:{chat.id}", "payload": receipt, "except_user": bob.id}]
    [own] = (await world.events(f"user:{bob.id}"))[before:]
    assert (own.type, own.payload) == ("receipt.updated", receipt)
    assert [event.type for event in await world.events(f"chat:{chat.id}")] == ["message.created"]


async def test_receipts_list_all_members_also_those_who_read_nothing(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    crowd = await world.crowd(1200)
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    for start in (0, 1000):
        await ada.ask("POST", f"/api/chats/{chat.id}/members", {"user_ids": crowd[start : start + 1000]})
    found = (await bob.ask("GET", f"/api/chats/{chat.id}/receipts")).list_of(Position)
    assert {position.user_id for position in found} == {ada.id, bob.id, *crowd}
    assert {position.read_at for position in found} == {None}


@pytest.mark.parametrize("seq", [-1, 2**63, 1.5, "one", None])
async def test_a_position_that_is_none_is_refused(world: World, seq: object) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    (await read(ada, chat, seq)).problem(400, "invalid_request")


async def test_only_members_leave_and_see_receipts_and_type(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    open_, closed = await ada.create_chat("PublicChannel", "x"), await ada.create_chat("PrivateChannel", "y")
    for chat, status, code in ((open_, 403, "forbidden"), (closed, 404, "not_found")):
        (await read(bob, chat, 1)).problem(status, code)
        (await bob.ask("GET", f"/api/chats/{chat.id}/receipts")).problem(status, code)
        (await bob.ask("POST", f"/api/chats/{chat.id}/typing")).problem(status, code)


async def test_typing_is_told_to_the_others_once_in_three_seconds(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    path = f"/api/chats/{chat.id}/typing"

    async with listening(world) as heard:

        async def typed() -> list[dict[str, Any]]:
            return [each for each in await heard.all() if each["type"] == "typing"]

        for answer in await asyncio.gather(*(bob.ask("POST", path) for _ in range(8))):
            answer.nothing()
        told = {"type": "typing", "to": f"chat:{chat.id}", "payload": {"chat_id": chat.id, "user_id": bob.id}}
        assert await typed() == [told | {"except_user": bob.id}]
        (await ada.ask("POST", path)).nothing()
        assert [each["except_user"] for each in await typed()] == [ada.id]
        for ago_s in (2.5, 3.0):
            await world.db.fetch("UPDATE typing SET at = clock_timestamp() - $1 * interval '1 s'", ago_s)
            before = await world.db.fetch_value(LAST_TOLD, bob.id)
            (await bob.ask("POST", path)).nothing()
            news, waited_s = await typed(), (await world.db.fetch_value(LAST_TOLD, bob.id) - before).total_seconds()
            assert (len(news), waited_s >= 3) in ([(1, True)] if ago_s >= 3 else [(0, False), (1, True)])
            assert bool(news) == bool(waited_s)


async def test_an_ended_session_neither_reads_nor_types(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    await ada.post(chat, "one")
    await world.sign_out(ada)
    (await read(ada, chat, 1)).problem(401, "unauthenticated")
    (await ada.ask("POST", f"/api/chats/{chat.id}/typing")).problem(401, "unauthenticated")
