"""Nobody finds, counts or is suggested what they may not read: right after every change of who may."""

from typing import Any
from urllib.parse import urlencode

import pytest

from fechatter.domain.people import WorkspaceRole
from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat
from tests.integration.files.uploading import upload
from tests.support.world import World

SECRET = "the password of the vault is tangerine"
FILE = "tangerine-plan.pdf"


async def ask(person: Person, path: str = "/api/search/messages", **query: Any) -> Answer:
    return await person.ask("GET", f"{path}?{urlencode({'q': 'tangerine'} | query)}")


async def total(person: Person, **query: Any) -> int:
    answer = (await ask(person, **query)).json(dict[str, Any])
    assert len(answer["hits"]) == answer["total"]
    return answer["total"]


async def finds_nothing(person: Person, chat: Chat) -> None:
    """By no way in."""
    assert await total(person) == 0
    assert await total(person, q="tangrine") == 0
    everything = (await ask(person, "/api/search")).json(dict[str, Any])
    assert everything["messages"] == {"hits": [], "total": 0}
    assert everything["files"] == everything["chats"] == []
    assert (await ask(person, "/api/search/suggestions")).list_of(dict[str, Any]) == []
    (await ask(person, chat_id=chat.id)).problem(404, "not_found")
    (await ask(person, f"/api/chats/{chat.id}/messages/search")).problem(404, "not_found")


async def tell(person: Person, chat: Chat) -> None:
    file = await upload(person, name=FILE)
    await person.post(chat, SECRET, files=[file.id])


@pytest.fixture
async def people(town: World) -> tuple[Person, Person, Person]:
    """Of a workspace of their own."""
    home = await town.new_workspace("Vault")
    ada, bob, cem = [await town.person(name, workspace_id=home) for name in ("Ada", "Bob", "Cem")]
    await town.db.fetch(
        "UPDATE workspace_members SET role = 'owner' WHERE workspace_id = $1 AND user_id = $2", home, ada.id
    )
    return ada, bob, cem


async def test_members_find_it_and_outsiders_never(people: tuple[Person, Person, Person]) -> None:
    ada, bob, cem = people
    chat = await ada.create_chat("PrivateChannel", None, [bob])
    await tell(ada, chat)
    assert await total(ada) == await total(bob) == 1
    everything = (await ask(bob, "/api/search")).json(dict[str, Any])
    assert [file["name"] for file in everything["files"]] == [FILE]
    assert [each["kind"] for each in (await ask(bob, "/api/search/suggestions")).list_of(dict[str, Any])] == ["file"]
    await finds_nothing(cem, chat)


async def test_who_is_added_finds_what_was_said_before(people: tuple[Person, Person, Person]) -> None:
    ada, bob, cem = people
    chat = await ada.create_chat("PrivateChannel", None, [bob])
    await tell(ada, chat)
    await ada.ask("POST", f"/api/chats/{chat.id}/members", {"user_ids": [cem.id]})
    assert await total(cem) == 1


@pytest.mark.parametrize("way", ["removed", "left", "suspended", "expelled", "deleted"])
async def test_who_loses_the_chat_loses_its_words(town: World, people: tuple[Person, Person, Person], way: str) -> None:
    ada, bob, _ = people
    chat = await ada.create_chat("PrivateChannel", None, [bob])
    await tell(ada, chat)
    await bob.ask("POST", "/api/workspaces", {"name": "Elsewhere"})  # who has no place left is signed out
    assert await total(bob) == 1
    workspace = f"/api/workspaces/{chat.workspace_id}/members/{bob.id}"
    done = {
        "removed": lambda: ada.ask("DELETE", f"/api/chats/{chat.id}/members/{bob.id}"),
        "left": lambda: bob.ask("POST", f"/api/chats/{chat.id}/leave"),
        "suspended": lambda: ada.ask("PATCH", workspace, {"status": "Suspended"}),
        "expelled": lambda: ada.ask("DELETE", workspace),
        "deleted": lambda: ada.ask("DELETE", f"/api/chats/{chat.id}"),
    }
    assert (await done[way]()).status in (200, 204)
    await finds_nothing(bob, chat)
    if way == "suspended":
        await ada.ask("PATCH", workspace, {"status": "Active"})
        assert await total(bob) == 1


async def test_a_guest_finds_only_where_it_is(town: World, people: tuple[Person, Person, Person]) -> None:
    ada, _, _ = people
    guest = await town.person("Gus", WorkspaceRole.GUEST, ada.workspace.id)
    chat = await ada.create_chat("PublicChannel")
    await tell(ada, chat)
    await finds_nothing(guest, chat)
    await ada.ask("POST", f"/api/chats/{chat.id}/members", {"user_ids": [guest.id]})
    assert await total(guest) == 1


async def test_a_public_channel_is_searched_by_name_before_one_joins(people: tuple[Person, Person, Person]) -> None:
    ada, bob, _ = people
    chat = await ada.create_chat("PublicChannel")
    await tell(ada, chat)
    assert await total(bob) == 0
    assert await total(bob, chat_id=chat.id) == 1
    await bob.join(chat)
    assert await total(bob) == 1


async def test_a_session_that_ended_finds_nothing(town: World, people: tuple[Person, Person, Person]) -> None:
    ada, _, _ = people
    for path in ("/api/search", "/api/search/messages", "/api/search/suggestions"):
        assert (await ask(ada, path)).status == 200
    await town.sign_out(ada)
    for path in ("/api/search", "/api/search/messages", "/api/search/suggestions"):
        (await ask(ada, path)).problem(401, "unauthenticated")


async def test_an_edit_and_a_deletion_take_the_old_words_away(people: tuple[Person, Person, Person]) -> None:
    ada, _, _ = people
    chat = await ada.create_chat("PrivateChannel")
    message = await ada.post(chat, SECRET)
    place = f"/api/chats/{chat.id}/messages/{message.id}"
    await ada.ask("PUT", place, {"content": "it is 橘子 now"})
    assert (await total(ada), await total(ada, q="橘子")) == (0, 1)
    await ada.ask("DELETE", place)
    assert (await total(ada), await total(ada, q="橘子")) == (0, 0)


async def test_an_edit_keeps_the_names_of_files(people: tuple[Person, Person, Person]) -> None:
    ada, _, _ = people
    chat = await ada.create_chat("PrivateChannel")
    file = await upload(ada, name=FILE)
    message = await ada.post(chat, "look", files=[file.id])
    await ada.ask("PUT", f"/api/chats/{chat.id}/messages/{message.id}", {"content": "look here"})
    assert await total(ada) == await total(ada, q="here") == await total(ada, has="file") == 1
