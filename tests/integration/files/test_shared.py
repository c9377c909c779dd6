"""The list of a chat's files."""

import msgspec
import pytest

from fechatter.domain.messages import SharedFile
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.integration.files.uploading import upload
from tests.support.world import World, statements


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


async def shared(person: Person, chat: Chat, query: str = "") -> list[SharedFile]:
    answer = await person.api.ask("GET", f"/api/chats/{chat.id}/files{query}", token=person.token)
    return answer.json(list[SharedFile])


async def test_it_has_what_messages_carry_newest_first(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", None, [bob])
    first, second, third = [await upload(ada, f"{n}".encode(), f"{n}.txt") for n in range(3)]
    older = await ada.post(chat, "two", files=[first.id, second.id])
    newer = await ada.post(chat, "", files=[third.id])
    await ada.post(chat, "none")
    found = await shared(bob, chat)
    assert [(one.file.name, one.message_id) for one in found] == [
        ("2.txt", newer.id),
        ("0.txt", older.id),
        ("1.txt", older.id),
    ]
    assert msgspec.to_builtins(found[0].file)["url"] == f"/api/files/{third.id}"
    assert (found[0].sender_id, found[0].sent_at) == (ada.id, newer.created_at)


async def test_the_files_of_a_deleted_message_are_gone_from_it(world: World) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    message = await ada.post(chat, "look", files=[(await upload(ada)).id])
    assert len(await shared(ada, chat)) == 1
    await ada.api.ask("DELETE", f"/api/chats/{chat.id}/messages/{message.id}", token=ada.token)
    assert await shared(ada, chat) == []


async def test_a_file_shared_in_one_chat_is_not_listed_in_another(world: World) -> None:
    ada, bob, eve = await world.people("Ada", "Bob", "Eve")
    here, there = await ada.create_chat("Single", None, [bob]), await ada.create_chat("Single", None, [eve])
    await ada.post(here, "look", files=[(await upload(ada)).id])
    assert await shared(ada, there) == []


async def test_it_comes_in_pages_with_a_link_to_the_next(world: World) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    for number in range(3):
        await ada.post(chat, "", files=[(await upload(ada, f"{number}".encode(), f"{number}.txt")).id])
    answer = await ada.api.ask("GET", f"/api/chats/{chat.id}/files?limit=2", token=ada.token)
    assert 'rel="next"' in answer.headers["link"]
    with statements(3):
        rest = await shared(ada, chat, "?limit=2&offset=2")
    assert [one.file.name for one in rest] == ["0.txt"]
