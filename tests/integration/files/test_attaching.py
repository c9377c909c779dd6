"""Messages that carry files."""

import pytest

from tests.clients.shapes import Chat
from tests.integration.files.uploading import download, upload
from tests.support.world import World, statements


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


async def test_a_message_carries_its_files_in_the_order_given(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    files = [await upload(ada, f"{n}".encode(), f"{n}.txt") for n in range(4)]
    order = [files[2], files[0], files[3], files[1]]
    chat = await ada.create_chat("Single", None, [bob])
    message = await ada.post(chat, "", files=[file.id for file in order])
    assert message.files == order
    assert (await bob.history(chat))[0].files == order
    assert (await bob.chats())[0].last_message == message


async def test_a_post_with_files_is_one_statement_and_so_is_reading_it(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    chat = await ada.create_chat("Single", None)
    await ada.post(chat, "a connection's first use looks up types", files=[file.id])
    with statements(1):
        await ada.post(chat, "look", files=[file.id])
    with statements(1):
        await ada.history(chat)
    with statements(1):
        await download(ada, file)


async def test_a_retry_gives_the_message_with_its_files(world: World) -> None:
    (ada,) = await world.people("Ada")
    file, other = await upload(ada), await upload(ada)
    chat = await ada.create_chat("Single", None)
    first = await ada.post(chat, "look", files=[file.id], idempotency_key="k")
    again = await ada.say(chat, "look", files=[file.id], idempotency_key="k")
    assert again.json(type(first)) == first
    (await ada.say(chat, "look", files=[other.id], idempotency_key="k")).problem(409, "idempotency_conflict")


@pytest.mark.parametrize("whose", ["nobody's", "another's", "of another workspace", "one of two"])
async def test_only_own_files_of_the_workspace_can_be_attached(world: World, whose: str) -> None:
    ada, bob = await world.people("Ada", "Bob")
    own = await upload(ada)
    away = await world.new_workspace("Away")
    await world.db.fetch(
        "INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, 'member')", away, ada.id
    )
    ids = {
        "nobody's": [2**62],
        "another's": [(await upload(bob)).id],
        "of another workspace": [(await upload(ada, query=f"?workspace_id={away}")).id],
        "one of two": [own.id, 2**62],
    }[whose]
    form = {"type": "Single", "workspace_id": world.workspace_id}
    chat = (await ada.ask("POST", "/api/chats", form)).json(Chat, 201)
    problem = (await ada.say(chat, "look", files=ids)).problem(400, "invalid_request")
    assert [fault.field for fault in problem.errors] == ["files"]
    assert await ada.history(chat) == []


async def test_no_more_than_ten_and_none_twice(world: World) -> None:
    (ada,) = await world.people("Ada")
    ids = [(await upload(ada)).id for _ in range(11)]
    chat = await ada.create_chat("Single", None)
    (await ada.say(chat, "x", files=ids)).problem(400, "invalid_request")
    (await ada.say(chat, "x", files=[ids[0], ids[0]])).problem(400, "invalid_request")
    assert len((await ada.post(chat, "", files=ids[:10])).files) == 10


async def test_content_may_be_empty_only_with_files(world: World) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    (await ada.say(chat, "")).problem(400, "invalid_request")
    (await ada.say(chat, "", files=[])).problem(400, "invalid_request")
    assert (await ada.post(chat, "", files=[(await upload(ada)).id])).content == ""
