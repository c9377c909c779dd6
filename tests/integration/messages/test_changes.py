"""Messages edited, deleted, replied to; whom they mention."""

import pytest

from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat, Message
from tests.support.world import World


async def edit(person: Person, message: Message, content: str) -> Answer:
    return await person.ask("PUT", f"/api/chats/{message.chat_id}/messages/{message.id}", {"content": content})


async def delete(person: Person, message: Message) -> Answer:
    return await person.ask("DELETE", f"/api/chats/{message.chat_id}/messages/{message.id}")


async def count(person: Person) -> tuple[int, int]:
    [chat] = await person.chats()
    return chat.unread_count, chat.mention_count


async def test_an_edit_changes_the_text_and_nothing_else(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    first = await ada.post(chat, "frist", idempotency_key="k")
    edited = (await edit(ada, first, "first")).json(Message)
    assert edited.content == "first"
    assert edited.edited_at
    assert (edited.id, edited.seq, edited.created_at) == (first.id, first.seq, first.created_at)
    assert await bob.history(chat) == [edited]
    assert [(e.type, e.message_id, e.payload) for e in await world.events(f"chat:{chat.id}")] == [
        ("message.created", first.id, None),
        ("message.updated", first.id, None),
    ]
    retried = await ada.say(chat, "frist", idempotency_key="k")
    assert retried.json(Message) == edited


async def test_an_edit_to_the_same_text_changes_nothing(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    message = await ada.post(chat, "same")
    assert (await edit(ada, message, "same")).json(Message) == message
    assert len(await world.events(f"chat:{chat.id}")) == 1


async def test_only_the_sender_edits_and_only_while_a_member(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    message = await bob.post(chat, "mine")
    (await edit(ada, message, "yours")).problem(403, "forbidden")
    (await edit(cem, message, "yours")).problem(403, "forbidden")
    await bob.ask("POST", f"/api/chats/{chat.id}/leave")
    (await edit(bob, message, "gone")).problem(403, "forbidden")


@pytest.mark.parametrize("content", ["", "x" * 16_385, "a\x00b", "\ud800", None, 5])
async def test_an_edit_keeps_the_limits_of_a_post(world: World, content: object) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    message = await ada.post(chat, "text")
    path = f"/api/chats/{chat.id}/messages/{message.id}"
    body = b'{"content": "\\ud800"}' if content == "\ud800" else None
    answer = await ada.ask("PUT", path, None if body else {"content": content}, content=body)
    answer.problem(400, "invalid_request")
    assert await ada.history(chat) == [message]
    assert (await edit(ada, message, "汉" * 16_384)).json(Message).content == "汉" * 16_384


async def test_a_message_is_only_found_in_its_own_chat(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    mine, other = await ada.create_chat("PublicChannel", "x"), await ada.create_chat("PrivateChannel", "y", [bob])
    message = await ada.post(mine, "here")
    for person, chat, status in ((ada, other, 404), (bob, other, 404)):
        path = f"/api/chats/{chat.id}/messages/{message.id}"
        (await person.ask("PUT", path, {"content": "there"})).problem(status, "not_found")
        (await person.ask("DELETE", path)).problem(status, "not_found")


async def test_a_deleted_message_leaves_a_tombstone(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    message = await bob.post(chat, "secret @ada", idempotency_key="k")
    await bob.post(chat, "next")
    (await delete(bob, message)).nothing()
    (await delete(bob, message)).nothing()
    left = (await ada.history(chat))[-1]
    assert (left.content, left.files, left.mentions, left.seq) == ("", [], [], 1)
    assert left.deleted_at
    assert [e.type for e in await world.events(f"chat:{chat.id}")][2:] == ["message.deleted"]
    (await edit(bob, message, "back")).problem(409, "conflict")
    assert (await bob.say(chat, "secret @ada", idempotency_key="k")).json(Message) == left
    assert (await ada.chats())[0].last_seq == 2


async def test_admins_delete_what_others_said_and_members_do_not(world: World) -> None:
    ada, bob, cem, dee = await world.people("Ada", "Bob", "Cem", "Dee")
    chat = await ada.create_chat("PublicChannel", "x", [bob, cem])
    await ada.ask("PATCH", f"/api/chats/{chat.id}/members/{bob.id}", {"role": "admin"})
    message = await ada.post(chat, "hello")
    for person in (cem, dee):
        (await delete(person, message)).problem(403, "forbidden")
    (await delete(bob, message)).nothing()


async def test_in_a_single_each_deletes_only_their_own(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    message = await bob.post(chat, "mine")
    (await delete(ada, message)).problem(403, "forbidden")
    (await delete(bob, message)).nothing()


async def test_the_text_of_a_deleted_message_is_nowhere_in_the_log(world: World) -> None:
    """Events that carry a chat would carry its last message: they name it, and it is read when they are delivered."""
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("PublicChannel", "x")
    message = await ada.post(chat, "the-secret-word")
    await ada.ask("POST", f"/api/chats/{chat.id}/members", {"user_ids": [bob.id]})
    await cem.join(chat)
    await ada.ask("PUT", f"/api/chats/{chat.id}", {"name": "y"})
    (await delete(ada, message)).nothing()
    logged = await world.db.fetch_value("SELECT string_agg(payload::text, ' ') FROM events")
    assert "the-secret-word" not in logged
    [created] = await world.events(f"user:{bob.id}")
    assert (created.type, created.message_id) == ("chat.created", message.id)


async def test_mentions_follow_the_text(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    names = {person.id: person.user.username for person in (ada, bob, cem)}
    message = await ada.post(chat, f"@{names[bob.id]} and @{names[cem.id]} and @nobody")
    assert message.mentions == [bob.id]
    assert await count(bob) == (1, 1)
    assert (await edit(ada, message, "nobody")).json(Message).mentions == []
    assert await count(bob) == (1, 0)
    again = (await edit(ada, message, f"@{names[bob.id].upper()}, @{names[ada.id]}!")).json(Message)
    assert again.mentions == [bob.id, ada.id]
    assert await count(bob) == (1, 1)
    assert await count(ada) == (0, 0)
    (await delete(ada, message)).nothing()
    assert await count(bob) == (1, 0)
    assert await world.db.fetch_value("SELECT count(*) FROM mentions") == 0


async def test_a_reply_names_a_message_of_the_same_chat(world: World) -> None:
    ada = await world.person("Ada")
    chat, other = await ada.create_chat("PublicChannel", "x"), await ada.create_chat("PublicChannel", "y")
    first, foreign = await ada.post(chat, "first"), await ada.post(other, "foreign")
    assert (await ada.post(chat, "second", reply_to=first.id)).reply_to == first.id
    for bad in (foreign.id, 10**15):
        (await ada.say(chat, "third", reply_to=bad)).problem(400, "invalid_request")
    (await delete(ada, first)).nothing()
    assert [message.reply_to for message in await ada.history(chat)] == [first.id, None]


async def test_pages_before_after_and_around_a_tombstone_have_no_gap(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    posted = [await ada.post(chat, f"{n}") for n in range(1, 10)]
    (await delete(ada, posted[4])).nothing()
    anchor = posted[4].id
    assert [m.seq for m in await ada.history(chat, f"?before_id={anchor}&limit=3")] == [4, 3, 2]
    assert [m.seq for m in await ada.history(chat, f"?after_id={anchor}&limit=3")] == [6, 7, 8]
    assert [m.seq for m in await ada.history(chat, f"?around_id={anchor}&limit=3")] == [6, 5, 4]
    assert [m.seq for m in await ada.whole_history(chat, limit=2)] == list(range(1, 10))


async def test_the_last_message_of_a_chat_is_shown_as_it_is_now(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "x")
    message = await ada.post(chat, "one")
    await edit(ada, message, "two")

    async def last() -> str | None:
        found = (await ada.ask("GET", f"/api/chats/{chat.id}")).json(Chat).last_message
        return found and found.content

    assert await last() == "two"
    await delete(ada, message)
    assert await last() == ""
