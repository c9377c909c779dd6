"""Who is in a chat: added, removed, given a role; the rules of types and of guests."""

import pytest

from fechatter.domain.people import WorkspaceRole
from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat, ChatType, Member
from tests.support.world import World


async def add(person: Person, chat: Chat, *user_ids: int) -> Answer:
    return await person.ask("POST", f"/api/chats/{chat.id}/members", {"user_ids": list(user_ids)})


async def remove(person: Person, chat: Chat, user_id: int) -> Answer:
    return await person.ask("DELETE", f"/api/chats/{chat.id}/members/{user_id}")


async def set_role(person: Person, chat: Chat, user_id: int, role: str) -> Answer:
    return await person.ask("PATCH", f"/api/chats/{chat.id}/members/{user_id}", {"role": role})


async def roles(person: Person, chat: Chat) -> dict[int, str]:
    return {member.user_id: member.role for member in await person.members(chat)}


async def test_the_added_have_nothing_unread_and_may_read_what_was_said(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PrivateChannel", "plans")
    await ada.post(chat, "first @bob")
    added = (await add(ada, chat, bob.id)).json(list[Member], 201)
    assert [(member.user_id, member.role) for member in added] == [(bob.id, "member")]
    [seen] = await bob.chats()
    assert (seen.unread_count, seen.mention_count, seen.last_read_seq) == (0, 0, 1)
    assert [message.content for message in await bob.history(chat)] == ["first @bob"]


async def test_adding_again_changes_nothing_and_answers_the_same(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("PrivateChannel", "plans")
    first = (await add(ada, chat, bob.id)).json(list[Member], 201)
    await set_role(ada, chat, bob.id, "admin")
    again = (await add(ada, chat, bob.id, cem.id, cem.id)).json(list[Member], 201)
    assert [(member.user_id, member.role) for member in again] == [(bob.id, "admin"), (cem.id, "member")]
    assert first[0].created_at == again[0].created_at
    assert (await ada.chats())[0].member_count == 3


async def test_nobody_is_added_if_one_of_them_is_not_of_the_workspace(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    elsewhere = await world.person("Eve", workspace_id=await world.new_workspace("Elsewhere"))
    chat = await ada.create_chat("PrivateChannel", "plans")
    foreign = (await add(ada, chat, bob.id, elsewhere.id)).problem(400, "invalid_request")
    unknown = (await add(ada, chat, bob.id, 10**15)).problem(400, "invalid_request")
    assert [e.message.split(":")[0] for e in foreign.errors] == [e.message.split(":")[0] for e in unknown.errors]
    assert list(await roles(ada, chat)) == [ada.id]


@pytest.mark.parametrize(
    "body", [{}, {"user_ids": []}, {"user_ids": "1"}, {"user_ids": [0]}, {"user_ids": [1], "x": 1}]
)
async def test_a_bad_list_of_people_is_refused(world: World, body: object) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PrivateChannel", "plans")
    (await ada.ask("POST", f"/api/chats/{chat.id}/members", body)).problem(400, "invalid_request")


async def test_a_thousand_at_once_come_into_a_chat_of_twelve_hundred(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    crowd = await world.crowd(2199)
    chat = await ada.create_chat("PublicChannel", "stadium", [bob])
    (await add(ada, chat, *crowd[:1000])).json(list[Member], 201)
    (await add(ada, chat, *crowd[1000:1198])).json(list[Member], 201)
    (await add(ada, chat, *crowd[1198:])).problem(400, "invalid_request")
    added = (await add(ada, chat, *crowd[1199:])).json(list[Member], 201)
    assert len(added) == 1000
    assert (await bob.chats())[0].member_count == 2200
    assert len(await world.events(f"chat:{chat.id}")) == 2198
    [created] = await world.events(f"user:{crowd[-1]}")
    assert created.payload
    assert created.payload["member_count"] == 2199
    await bob.post(chat, "汉" * 2700)


async def test_a_removed_member_writes_and_reads_no_more_and_hears_it_last(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "three", [bob, cem])
    await ada.post(chat, "hello @bob")
    (await remove(ada, chat, bob.id)).nothing()
    (await bob.say(chat, "but")).problem(404, "not_found")
    (await bob.ask("GET", f"/api/chats/{chat.id}/messages")).problem(404, "not_found")
    assert (await world.events(f"user:{bob.id}"))[-1].type == "member.removed"
    (await remove(ada, chat, bob.id)).problem(404, "not_found")
    (await add(ada, chat, bob.id)).json(list[Member], 201)
    [again] = await bob.chats()
    assert (again.unread_count, again.mention_count) == (0, 0)
    joined = await world.db.fetch_value(
        "SELECT joined_pos FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat.id, bob.id
    )
    assert [event.type for event in await world.events(f"chat:{chat.id}")][joined - 1] == "member.added"


async def test_admins_remove_members_and_the_owner_removes_admins(world: World) -> None:
    ada, bob, cem, dee = await world.people("Ada", "Bob", "Cem", "Dee")
    chat = await ada.create_chat("Group", "four", [bob, cem, dee])
    for admin in (bob, cem):
        (await set_role(ada, chat, admin.id, "admin")).json(Member)
    (await remove(dee, chat, bob.id)).problem(403, "forbidden")
    (await remove(bob, chat, cem.id)).problem(403, "forbidden")
    (await remove(bob, chat, ada.id)).problem(403, "forbidden")
    (await remove(bob, chat, dee.id)).nothing()
    (await remove(ada, chat, cem.id)).nothing()
    assert await roles(ada, chat) == {ada.id: "owner", bob.id: "admin"}


async def test_handing_over_makes_the_owner_an_admin(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "three", [bob, cem])
    assert (await set_role(ada, chat, bob.id, "owner")).json(Member).role == "owner"
    assert await roles(cem, chat) == {bob.id: "owner", ada.id: "admin", cem.id: "member"}
    told = [(event.type, event.payload) for event in await world.events(f"chat:{chat.id}")]
    assert [type_ for type_, _ in told] == ["member.updated"] * 2
    assert {(p["user_id"], p["role"]) for _, p in told if p} == {(bob.id, "owner"), (ada.id, "admin")}
    (await ada.ask("DELETE", f"/api/chats/{chat.id}")).problem(403, "forbidden")
    (await bob.ask("DELETE", f"/api/chats/{chat.id}")).nothing()


async def test_only_the_owner_gives_roles_and_anyone_steps_down(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "three", [bob, cem])
    (await set_role(ada, chat, bob.id, "admin")).json(Member)
    (await set_role(bob, chat, cem.id, "admin")).problem(403, "forbidden")
    (await set_role(bob, chat, bob.id, "owner")).problem(403, "forbidden")
    (await set_role(cem, chat, cem.id, "admin")).problem(403, "forbidden")
    (await set_role(ada, chat, ada.id, "member")).problem(409, "owner_required")
    (await set_role(ada, chat, 10**15, "member")).problem(404, "not_found")
    (await set_role(ada, chat, bob.id, "king")).problem(400, "invalid_request")
    assert (await set_role(bob, chat, bob.id, "member")).json(Member).role == "member"
    assert (await set_role(ada, chat, ada.id, "owner")).json(Member).role == "owner"
    assert len(await world.events(f"chat:{chat.id}")) == 2


async def test_the_members_of_a_single_never_change(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Single", others=[bob])
    (await add(ada, chat, cem.id)).problem(403, "forbidden")
    (await remove(ada, chat, bob.id)).problem(403, "forbidden")
    (await remove(bob, chat, bob.id)).problem(403, "forbidden")
    (await set_role(ada, chat, bob.id, "admin")).problem(403, "forbidden")
    (await bob.ask("POST", f"/api/chats/{chat.id}/leave")).problem(403, "forbidden")
    assert len(await roles(ada, chat)) == 2


async def test_a_single_is_the_same_for_both_and_may_be_with_oneself(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    again = (await bob.ask("POST", "/api/chats", {"type": "Single", "members": [ada.id]})).json(Chat)
    assert again.id == chat.id
    notes = (await ada.ask("POST", "/api/chats", {"type": "Single"})).json(Chat, 201)
    same = (await ada.ask("POST", "/api/chats", {"type": "Single", "members": [ada.id]})).json(Chat)
    assert (notes.id, notes.member_count) == (same.id, 1)


@pytest.mark.parametrize("type_", ["PrivateChannel", "PublicChannel"])
async def test_guests_see_a_channel_only_once_they_were_added(world: World, type_: ChatType) -> None:
    ada = await world.person("Ada")
    guest = await world.person("Gus", WorkspaceRole.GUEST)
    chat = await ada.create_chat(type_, "inner")
    (await guest.ask("GET", f"/api/chats/{chat.id}")).problem(404, "not_found")
    (await guest.ask("POST", f"/api/chats/{chat.id}/join")).problem(404, "not_found")
    (await guest.ask("POST", "/api/chats", {"type": type_, "name": "own"})).problem(403, "forbidden")
    assert (await guest.ask("GET", "/api/chats/public")).list_of(Chat) == []
    (await add(ada, chat, guest.id)).json(list[Member], 201)
    assert [each.id for each in await guest.chats()] == [chat.id]


async def test_guests_bring_in_only_people_they_share_a_chat_with(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    guest = await world.person("Gus", WorkspaceRole.GUEST)
    (await guest.ask("POST", "/api/chats", {"type": "Single", "members": [ada.id]})).problem(400, "invalid_request")
    chat = await ada.create_chat("Group", "met", [bob, guest])
    assert (await guest.create_chat("Single", others=[ada])).member_count == 2
    (await set_role(ada, chat, guest.id, "admin")).json(Member)
    (await add(guest, chat, cem.id)).problem(400, "invalid_request")
    (await add(guest, chat, bob.id)).json(list[Member], 201)


async def test_a_public_channel_is_read_and_joined_and_written_in_by_members_alone(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "town")
    await ada.post(chat, "welcome")
    assert [message.content for message in await bob.history(chat)] == ["welcome"]
    assert list(await roles(bob, chat)) == [ada.id]
    (await bob.say(chat, "hi")).problem(403, "forbidden")
    (await add(bob, chat, bob.id)).problem(403, "forbidden")
    (await bob.ask("POST", f"/api/chats/{chat.id}/read", {"seq": 1})).problem(403, "forbidden")
    await bob.join(chat)
    await bob.post(chat, "hi")
