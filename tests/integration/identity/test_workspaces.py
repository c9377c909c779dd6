"""Workspaces: who may do what to whom, the last owner, suspension, leaving, deletion."""

import asyncio
from typing import Any

import pytest

from fechatter.domain.people import WorkspaceRole
from fechatter.store.messages import garbage
from tests.clients.api import Person
from tests.clients.shapes import Workspace
from tests.support.world import World

Json = dict[str, Any]
ROLES = (WorkspaceRole.OWNER, WorkspaceRole.ADMIN, WorkspaceRole.MEMBER, WorkspaceRole.GUEST)


def member_path(world: World, person: Person) -> str:
    return f"/api/workspaces/{world.workspace_id}/members/{person.id}"


async def everyone(world: World) -> list[Person]:
    """One of each role, the owner first; a second owner does nothing."""
    return [await world.person(role.value, role) for role in ROLES]


async def types_in(world: World, stream: str) -> list[str]:
    return [event.type for event in await world.events(stream)]


@pytest.mark.parametrize("mine", ROLES)
async def test_nobody_changes_those_above_them_or_gives_a_role_above_their_own(
    world: World, mine: WorkspaceRole
) -> None:
    me = await world.person("Me", mine)
    for theirs in ROLES:
        for given in ROLES:
            them = await world.person("Them", theirs)
            answer = await me.ask("PATCH", member_path(world, them), {"role": given})
            if mine is WorkspaceRole.GUEST:
                answer.problem(404, "not_found")
            elif mine.rank >= max(WorkspaceRole.ADMIN.rank, theirs.rank, given.rank):
                assert answer.json(Json)["role"] == given
            else:
                answer.problem(403, "forbidden")


async def test_what_one_is_not_in_does_not_exist(world: World) -> None:
    stranger = await world.api.sign_up("Stranger")
    member = await world.person("Member")
    for method, path, form in (
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("PATCH", f"/members/{member.id}", {"role": "guest"}),
        ("DELETE", f"/members/{member.id}", None),
        ("GET", "/invites", None),
        ("POST", "/invites", {}),
        ("DELETE", "/invites/1", None),
    ):
        (await stranger.ask(method, f"/api/workspaces/{world.workspace_id}{path}", form)).problem(404, "not_found")


async def test_members_and_guests_change_neither_the_workspace_nor_its_invites(world: World) -> None:
    _, admin, member, guest = await everyone(world)
    base = f"/api/workspaces/{world.workspace_id}"
    for person in (member, guest):
        (await person.ask("PUT", base, {"name": "x"})).problem(403, "forbidden")
        (await person.ask("DELETE", base)).problem(403, "forbidden")
        (await person.ask("GET", f"{base}/invites")).problem(403, "forbidden")
        (await person.ask("POST", f"{base}/invites", {})).problem(403, "forbidden")
    (await admin.ask("DELETE", base)).problem(403, "forbidden")
    (await admin.ask("POST", f"{base}/invites", {"role": "owner"})).problem(403, "forbidden")
    (await member.ask("DELETE", member_path(world, admin))).problem(403, "forbidden")
    (await guest.ask("DELETE", member_path(world, admin))).problem(404, "not_found")


async def test_a_changed_workspace_is_heard_of_by_members_and_by_guests_on_their_own_stream(world: World) -> None:
    owner, _, _, guest = await everyone(world)
    form = {"name": "New", "description": "why"}
    changed = (await owner.ask("PUT", f"/api/workspaces/{world.workspace_id}", form)).json(Workspace)
    assert (changed.name, changed.description, changed.role) == ("New", "why", "owner")
    for stream in (f"workspace:{world.workspace_id}", f"user:{guest.id}"):
        event = (await world.events(stream))[-1]
        assert (event.type, event.payload and event.payload["role"]) == ("workspace.updated", None)


async def test_the_last_owner_cannot_leave_step_down_or_be_suspended_unless_alone(world: World) -> None:
    owner = await world.api.sign_up("Owner")
    path = f"/api/workspaces/{owner.workspace.id}"
    member = await world.api.sign_up("Member", invite=(await owner.invite()).code)
    me = f"{path}/members/{owner.id}"
    (await owner.ask("DELETE", me)).problem(409, "owner_required")
    (await owner.ask("PATCH", me, {"role": "admin"})).problem(409, "owner_required")
    (await owner.ask("PATCH", me, {"status": "Suspended"})).problem(403, "forbidden")
    (await member.ask("DELETE", f"{path}/members/{member.id}")).nothing()
    (await owner.ask("DELETE", me)).nothing()
    assert (await owner.ask("GET", "/api/workspaces")).json(list[Json]) == []
    assert await world.db.fetch_value("SELECT count(*) FROM workspaces WHERE id = $1", owner.workspace.id) == 0


async def test_of_two_owners_who_leave_at_once_one_stays(world: World) -> None:
    first = await world.api.sign_up("First")
    second = await world.api.sign_up("Second", invite=(await first.invite("owner")).code)
    await world.api.sign_up("Third", invite=(await first.invite()).code)

    async def leave(person: Person) -> int:
        return (await person.ask("DELETE", f"/api/workspaces/{first.workspace.id}/members/{person.id}")).status

    assert sorted(await asyncio.gather(leave(first), leave(second))) == [204, 409]


async def test_who_is_suspended_is_out_of_all_chats_at_once_and_back_in_them_afterwards(world: World) -> None:
    admin = await world.person("Admin", WorkspaceRole.ADMIN)
    ada, bob = await world.people("Ada", "Bob")
    town = await ada.create_chat("PublicChannel", "town", [bob, admin])
    alone = await ada.create_chat("PrivateChannel", "alone")
    pair = await ada.create_chat("Single", None, [bob])
    await bob.post(town, "hello")
    (await ada.ask("POST", "/api/workspaces", {"name": "Elsewhere"})).json(Json, 201)
    (await admin.ask("PATCH", member_path(world, ada), {"status": "Suspended"})).json(Json)

    for chat in (town, alone, pair):
        (await ada.say(chat, "?")).problem(404, "not_found")
        (await ada.ask("GET", f"/api/chats/{chat.id}/messages")).problem(404, "not_found")
    assert await ada.chats() == []
    assert {member.user_id: member.role for member in await bob.members(town)} == {admin.id: "owner", bob.id: "member"}
    assert {chat.id for chat in await bob.chats()} == {town.id, pair.id}
    assert (await types_in(world, f"chat:{town.id}"))[-2:] == ["member.removed", "member.updated"]
    assert (await types_in(world, f"user:{ada.id}"))[-2:] == ["member.removed", "workspace.member_updated"]

    (await admin.ask("PATCH", member_path(world, ada), {"status": "Active"})).json(Json)
    back = {chat.id: chat for chat in await ada.chats()}
    assert set(back) == {town.id, alone.id, pair.id}
    assert (back[town.id].unread_count, back[town.id].member_count) == (1, 3)
    roles = {member.user_id: member.role for member in await bob.members(town)}
    assert roles == {admin.id: "owner", ada.id: "admin", bob.id: "member"}
    assert (await types_in(world, f"chat:{town.id}"))[-1] == "member.added"
    await ada.post(alone, "still mine")


async def test_who_is_removed_hears_it_as_the_last_word_and_comes_back_as_a_newcomer(world: World) -> None:
    admin = await world.person("Admin", WorkspaceRole.ADMIN)
    ada, bob = await world.people("Ada", "Bob")
    group = await ada.create_chat("Group", "us", [bob, admin])
    pair = await ada.create_chat("Single", None, [bob])
    (await admin.ask("DELETE", member_path(world, ada))).nothing()
    assert (await types_in(world, f"user:{ada.id}"))[-2:] == ["member.removed", "workspace.member_removed"]
    assert (await types_in(world, f"workspace:{world.workspace_id}"))[-1] == "workspace.member_removed"
    (await ada.say(group, "?")).problem(404, "not_found")
    (await ada.say(pair, "?")).problem(404, "not_found")
    assert {member.user_id: member.role for member in await bob.members(group)} == {admin.id: "owner", bob.id: "member"}
    (await admin.ask("DELETE", member_path(world, ada))).problem(404, "not_found")

    path = f"/api/workspaces/{world.workspace_id}/invites"
    code = (await admin.ask("POST", path, {})).json(Json, 201)["code"]
    (await ada.ask("POST", f"/api/invites/{code}/accept")).json(Workspace)
    assert [chat.id for chat in await ada.chats()] == [pair.id]


async def test_invites_of_somebody_who_is_demoted_or_removed_are_good_no_more(world: World) -> None:
    owner = await world.person("Owner", WorkspaceRole.OWNER)
    admin = await world.person("Admin", WorkspaceRole.ADMIN)
    ada = await world.person("Ada", WorkspaceRole.GUEST)
    path = f"/api/workspaces/{world.workspace_id}/invites"
    codes = [(await admin.ask("POST", path, {"role": role})).json(Json, 201)["code"] for role in ("admin", "member")]
    (await owner.ask("PATCH", member_path(world, admin), {"role": "member"})).json(Json)
    (await ada.ask("POST", f"/api/invites/{codes[0]}/accept")).problem(404, "not_found")
    (await ada.ask("POST", f"/api/invites/{codes[1]}/accept")).json(Workspace)
    (await owner.ask("DELETE", member_path(world, admin))).nothing()
    (await ada.ask("POST", f"/api/invites/{codes[1]}/accept")).problem(404, "not_found")


async def test_invites_are_listed_without_codes_and_revoked(world: World) -> None:
    admin = await world.person("Admin", WorkspaceRole.ADMIN)
    ada = await world.person("Ada")
    path = f"/api/workspaces/{world.workspace_id}/invites"
    made = (await admin.ask("POST", path, {"email": "x@example.org", "max_uses": 3})).json(Json, 201)
    [listed] = (await admin.ask("GET", path)).json(list[Json])
    assert "code" not in listed
    assert (listed["id"], listed["email"], listed["uses"], listed["max_uses"]) == (made["id"], "x@example.org", 0, 3)
    (await ada.ask("POST", f"/api/invites/{made['code']}/accept")).problem(404, "not_found")
    (await ada.ask("DELETE", f"{path}/{made['id']}")).problem(403, "forbidden")
    (await admin.ask("DELETE", f"{path}/{made['id']}")).nothing()
    (await admin.ask("DELETE", f"{path}/{made['id']}")).problem(404, "not_found")
    assert (await admin.ask("GET", path)).json(list[Json]) == []


async def test_accepting_what_one_is_in_already_uses_nothing_up_and_never_lifts_a_suspension(world: World) -> None:
    admin = await world.person("Admin", WorkspaceRole.ADMIN)
    ada = await world.person("Ada")
    path = f"/api/workspaces/{world.workspace_id}/invites"
    code = (await admin.ask("POST", path, {"max_uses": 1})).json(Json, 201)["code"]
    (await ada.ask("POST", f"/api/invites/{code}/accept")).json(Workspace)
    assert (await admin.ask("GET", path)).json(list[Json])[0]["uses"] == 0
    (await ada.ask("POST", "/api/workspaces", {"name": "Elsewhere"})).json(Json, 201)
    (await admin.ask("PATCH", member_path(world, ada), {"status": "Suspended"})).json(Json)
    (await ada.ask("POST", f"/api/invites/{code}/accept")).problem(403, "suspended")


async def test_a_deleted_workspace_takes_all_with_it_and_each_member_hears_it(world: World) -> None:
    owner, admin, member, guest = await everyone(world)
    chat = await admin.create_chat("Group", "us", [member, guest])
    message = await admin.post(chat, f"hello @{member.user.username}")
    (await owner.ask("DELETE", f"/api/workspaces/{world.workspace_id}")).nothing()
    for person in (owner, admin, member, guest):
        assert (await types_in(world, f"user:{person.id}"))[-1] == "workspace.member_removed"
        assert await person.chats() == []
    (await admin.ask("GET", f"/api/chats/{chat.id}")).problem(404, "not_found")
    async with world.db.connection() as connection:
        while await garbage.delete_some(connection):
            pass
    for table, column, value in (
        ("messages", "id", message.id),
        ("mentions", "chat_id", chat.id),
        ("chat_members", "chat_id", chat.id),
        ("events", "stream", f"chat:{chat.id}"),
        ("invites", "workspace_id", world.workspace_id),
        ("chat_garbage", "chat_id", chat.id),
    ):
        assert await world.db.fetch_value(f"SELECT count(*) FROM {table} WHERE {column} = $1", value) == 0, table


async def test_guests_hear_only_of_those_with_whom_they_share_a_chat(world: World) -> None:
    guest = await world.person("Guest", WorkspaceRole.GUEST)
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    await ada.create_chat("Group", "us", [guest, bob])
    for person in (bob, cem):
        (await person.ask("PATCH", "/api/users/me", {"locale": "zh"})).json(Json)
    heard = [event.payload for event in await world.events(f"user:{guest.id}") if event.type == "user.updated"]
    assert [payload and payload["id"] for payload in heard] == [bob.id]
