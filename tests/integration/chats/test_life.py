"""Chats through their life: changed, left, deleted, hidden."""

import pytest

from tests.clients.api import Person
from tests.clients.shapes import Chat, ChatType
from tests.support.world import World


async def change(person: Person, chat: Chat, **changes: object) -> Chat:
    return (await person.ask("PUT", f"/api/chats/{chat.id}", changes)).json(Chat)


async def test_a_renamed_chat_is_heard_of_by_all_in_one_event(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "old", [bob, cem])
    renamed = await change(ada, chat, name="new", description="why")
    assert (renamed.name, renamed.description) == ("new", "why")
    [event] = await world.events(f"chat:{chat.id}")
    assert (event.type, event.payload and event.payload["name"]) == ("chat.updated", "new")
    assert [each.name for each in await cem.chats()] == ["new"]


async def test_a_change_that_changes_nothing_is_no_event(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "town")
    assert await change(ada, chat) == chat
    assert await change(ada, chat, name="town") == chat
    assert await world.events(f"chat:{chat.id}") == []


async def test_a_description_can_be_taken_away_and_a_name_cannot(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "town")
    await change(ada, chat, description="where we meet")
    assert (await change(ada, chat, description=None)).description is None
    for bad in ({"name": None}, {"name": ""}, {"name": "x" * 129}, {"name": "a\x00b"}, {"title": "x"}, {"name": 3}):
        (await ada.ask("PUT", f"/api/chats/{chat.id}", bad)).problem(400, "invalid_request")


async def test_a_channel_cannot_take_the_name_of_another_in_any_case(world: World) -> None:
    ada = await world.person("Ada")
    await ada.create_chat("PublicChannel", "Straße")
    chat = await ada.create_chat("PrivateChannel", "lane")
    (await ada.ask("PUT", f"/api/chats/{chat.id}", {"name": "STRASSE"})).problem(409, "chat_name_taken")
    assert (await change(ada, chat, name="LANE")).name == "LANE"


async def test_both_people_of_a_single_may_name_it(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    assert (await change(bob, chat, name="us")).name == "us"


async def test_a_deleted_chat_is_gone_for_all_and_each_hears_of_it(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "short", [bob, cem])
    message = await bob.post(chat, "hello @ada")
    (await ada.ask("DELETE", f"/api/chats/{chat.id}")).nothing()
    for person in (ada, bob, cem):
        (await person.ask("GET", f"/api/chats/{chat.id}")).problem(404, "not_found")
        (await person.say(chat, "anyone?")).problem(404, "not_found")
        (await person.ask("DELETE", f"/api/chats/{chat.id}/messages/{message.id}")).problem(404, "not_found")
        assert await person.chats() == []
        assert (await world.events(f"user:{person.id}"))[-1].type == "chat.deleted"


async def test_the_name_of_a_deleted_channel_is_free_again(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "town")
    (await ada.ask("DELETE", f"/api/chats/{chat.id}")).nothing()
    assert (await ada.create_chat("PublicChannel", "town")).id != chat.id


async def test_a_hidden_single_comes_back_with_its_next_message(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    await bob.post(chat, "hi")
    (await ada.ask("DELETE", f"/api/chats/{chat.id}")).nothing()
    (await ada.ask("DELETE", f"/api/chats/{chat.id}")).nothing()
    assert await ada.chats() == []
    assert [each.id for each in await bob.chats()] == [chat.id]
    assert [event.type for event in await world.events(f"user:{ada.id}")] == ["chat.created", "chat.deleted"]
    await bob.post(chat, "still there?")
    [shown] = await ada.chats()
    assert (shown.id, shown.unread_count) == (chat.id, 2)


async def test_asking_again_for_a_hidden_single_shows_it(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    await ada.ask("DELETE", f"/api/chats/{chat.id}")
    again = (await ada.ask("POST", "/api/chats", {"type": "Single", "members": [bob.id]})).json(Chat)
    assert again.id == chat.id
    assert [each.id for each in await ada.chats()] == [chat.id]
    assert [e.type for e in await world.events(f"user:{ada.id}")] == ["chat.created", "chat.deleted", "chat.created"]


async def test_who_leaves_is_told_last_and_sees_a_private_chat_no_more(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "three", [bob, cem])
    (await bob.ask("POST", f"/api/chats/{chat.id}/leave")).nothing()
    (await bob.ask("GET", f"/api/chats/{chat.id}")).problem(404, "not_found")
    (await bob.ask("POST", f"/api/chats/{chat.id}/leave")).problem(404, "not_found")
    assert (await world.events(f"user:{bob.id}"))[-1].type == "member.removed"
    assert [event.type for event in await world.events(f"chat:{chat.id}")] == ["member.removed"]
    assert [member.user_id for member in await ada.members(chat)] == [ada.id, cem.id]
    assert [each.member_count for each in await ada.chats()] == [2]


async def test_leaving_a_public_channel_twice_changes_nothing(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "town", [bob])
    for _ in range(2):
        (await bob.ask("POST", f"/api/chats/{chat.id}/leave")).nothing()
    assert len(await world.events(f"chat:{chat.id}")) == 1


async def test_the_last_owner_hands_over_before_leaving(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "three", [bob, cem])
    leave = f"/api/chats/{chat.id}/leave"
    (await ada.ask("POST", leave)).problem(409, "owner_required")
    (await ada.ask("DELETE", f"/api/chats/{chat.id}/members/{ada.id}")).problem(409, "owner_required")
    await ada.ask("PATCH", f"/api/chats/{chat.id}/members/{bob.id}", {"role": "owner"})
    (await ada.ask("POST", leave)).nothing()
    assert {member.user_id: member.role for member in await bob.members(chat)} == {bob.id: "owner", cem.id: "member"}


@pytest.mark.parametrize("type_", ["Group", "PrivateChannel"])
async def test_a_private_chat_goes_with_its_last_member(world: World, type_: ChatType) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat(type_, "few", [bob, cem])
    for person in (bob, cem, ada):
        (await person.ask("POST", f"/api/chats/{chat.id}/leave")).nothing()
    assert await world.db.fetch_value("SELECT count(*) FROM chats") == 0


async def test_who_joins_an_empty_public_channel_owns_it(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "town")
    await ada.post(chat, "who is there")
    (await ada.ask("POST", f"/api/chats/{chat.id}/leave")).nothing()
    joined = await bob.join(chat)
    assert (joined.member_count, joined.unread_count) == (1, 0)
    assert [member.role for member in await bob.members(chat)] == ["owner"]
    assert [message.content for message in await bob.history(chat)] == ["who is there"]
