"""Who may read a file: its uploader, and exactly those who can read a message that carries it."""

from collections.abc import Sequence

import pytest

from fechatter.domain.people import WorkspaceRole
from tests.clients.api import Person
from tests.clients.shapes import File
from tests.integration.files.uploading import download, upload
from tests.support.world import World


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


async def readers(file: File, people: Sequence[Person]) -> list[str]:
    """Names of those who get the bytes; the others must be told that there is nothing."""
    found: list[str] = []
    for person in people:
        answer = await download(person, file)
        if answer.status == 200:
            found.append(person.user.fullname)
        else:
            answer.problem(404, "not_found")
            (await download(person, file, what="/thumbnail")).problem(404, "not_found")
    return found


async def test_before_it_is_attached_it_is_the_uploaders_alone(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    assert await readers(await upload(ada), [ada, bob]) == ["Ada"]


async def test_members_of_the_chat_read_it_and_nobody_else(world: World) -> None:
    ada, bob, eve = await world.people("Ada", "Bob", "Eve")
    away = await world.person("Mallory", workspace_id=await world.new_workspace("Away"))
    file = await upload(ada)
    chat = await ada.create_chat("Single", None, [bob])
    await ada.post(chat, "", files=[file.id])
    assert await readers(file, [ada, bob, eve, away]) == ["Ada", "Bob"]


async def test_a_public_channel_shows_it_to_the_workspace_but_not_to_guests(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    guest = await world.person("Guest", WorkspaceRole.GUEST)
    away = await world.person("Mallory", workspace_id=await world.new_workspace("Away"))
    file = await upload(ada)
    channel = await ada.create_chat("PublicChannel", "open")
    await ada.post(channel, "look", files=[file.id])
    assert await readers(file, [ada, bob, guest, away]) == ["Ada", "Bob"]


async def test_a_private_channel_shows_it_to_its_members_only(world: World) -> None:
    ada, bob, eve = await world.people("Ada", "Bob", "Eve")
    file = await upload(ada)
    channel = await ada.create_chat("PrivateChannel", "closed", [bob])
    await ada.post(channel, "look", files=[file.id])
    assert await readers(file, [ada, bob, eve]) == ["Ada", "Bob"]


async def test_who_is_removed_from_the_chat_reads_it_no_more(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    file = await upload(ada)
    chat = await ada.create_chat("Group", "us", [bob, cem])
    await ada.post(chat, "look", files=[file.id])
    await world.db.fetch("DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat.id, bob.id)
    assert await readers(file, [ada, bob, cem]) == ["Ada", "Cem"]


async def test_who_is_suspended_in_the_workspace_reads_it_no_more(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    file = await upload(bob)
    chat = await ada.create_chat("Single", None, [bob])
    await bob.post(chat, "look", files=[file.id])
    await world.db.fetch("UPDATE workspace_members SET status = 'Suspended' WHERE user_id = $1", bob.id)
    assert await readers(file, [ada, bob]) == ["Ada"]


async def test_a_deleted_message_takes_its_file_away_from_readers(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    file = await upload(ada)
    chat = await ada.create_chat("Single", None, [bob])
    message = await ada.post(chat, "look", files=[file.id])
    await world.db.fetch("UPDATE messages SET content = '', deleted_at = now() WHERE id = $1", message.id)
    assert await readers(file, [bob]) == []
    assert (await bob.history(chat))[0].files == []


async def test_another_message_that_carries_it_keeps_it_readable(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    file = await upload(ada)
    first, second = await ada.create_chat("Single", None, [bob]), await ada.create_chat("Single", None, [cem])
    message = await ada.post(first, "look", files=[file.id])
    await ada.post(second, "look", files=[file.id])
    await world.db.fetch("UPDATE messages SET deleted_at = now() WHERE id = $1", message.id)
    assert await readers(file, [ada, bob, cem]) == ["Ada", "Cem"]


async def test_an_avatar_is_seen_by_those_who_see_the_person(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    guest = await world.person("Guest", WorkspaceRole.GUEST)
    away = await world.person("Mallory", workspace_id=await world.new_workspace("Away"))
    file = await upload(ada)
    await world.db.fetch("UPDATE users SET avatar = $2 WHERE id = $1", ada.id, file.url)
    assert await readers(file, [ada, bob, guest, away]) == ["Ada", "Bob"]
    await ada.create_chat("Single", None, [guest])
    assert await readers(file, [guest]) == ["Guest"]
    await world.db.fetch("UPDATE users SET avatar = NULL WHERE id = $1", ada.id)
    assert await readers(file, [ada, bob, guest]) == ["Ada"]


async def test_an_ended_session_reads_nothing(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    await world.sign_out(ada)
    (await download(ada, file)).problem(401, "unauthenticated")


async def test_ids_that_no_file_has_are_not_there(world: World) -> None:
    (ada,) = await world.people("Ada")
    for id_ in (1, 0, -1, 2**63 - 1, 2**63, 10**30, "x", "1.5", "%00"):
        (await ada.ask("GET", f"/api/files/{id_}")).problem(404, "not_found")
