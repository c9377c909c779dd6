"""The whole way of a message, from the sign-up of its author to the screens of its readers."""

import asyncio

import pytest

from tests.clients.shapes import Chat, ChatType, Membership, Message
from tests.flow.conftest import Crowd


async def test_somebody_signs_up_invites_and_the_invited_is_in_the_same_workspace(crowd: Crowd) -> None:
    ada = await crowd.sign_up("Ada Lovelace")
    (bob,) = await crowd.colleagues(ada, "Bob")
    assert (ada.workspace.role, bob.workspace.role) == ("owner", "member")
    assert bob.workspace.id == ada.workspace.id
    assert ada.workspace.name == "Ada Lovelace"


async def test_chats_of_all_four_types_are_made_and_their_members_know_at_once(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    async with crowd.listen(bob) as stream:
        await stream.hello()
        types: list[ChatType] = ["Single", "Group", "PrivateChannel", "PublicChannel"]
        made = [await ada.create_chat(type_, others=[bob, eve] if type_ == "Group" else [bob]) for type_ in types]
        for chat in made:
            event = await stream.next()
            assert event.kind == "chat.created"
            assert event.payload(Chat).id == chat.id
            assert event.place[0] == f"user:{bob.id}"
    assert [chat.type for chat in made] == types
    assert [chat.member_count for chat in made] == [2, 3, 2, 2]
    assert {chat.id for chat in await bob.chats()} == {chat.id for chat in made}
    assert [chat.id for chat in await eve.chats()] == [made[1].id]


async def test_a_message_reaches_its_readers_as_it_was_answered_to_its_author(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("Group", others=[bob, *await crowd.colleagues(ada, "Eve")])
    async with crowd.listen(bob) as stream:
        await stream.hello()
        posted = await ada.post(chat, "good morning", idempotency_key="first-1")
        event = await stream.message("good morning")
    assert event.payload(Message) == posted
    assert event.envelope.chat_id == chat.id
    assert event.place == (f"chat:{chat.id}", 1)
    assert (posted.seq, posted.sender_id, posted.idempotency_key) == (1, ada.id, "first-1")
    assert await bob.history(chat) == [posted]


async def test_an_event_is_the_same_bytes_for_everyone(crowd: Crowd) -> None:
    """It is encoded once: what differs from reader to reader is not in it."""
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("Group", others=[bob, eve])
    async with crowd.listen(bob) as one, crowd.listen(eve) as other:
        await asyncio.gather(one.hello(), other.hello())
        await ada.post(chat, "for both")
        assert (await one.message("for both")).raw == (await other.message("for both")).raw


async def test_who_joins_hears_it_and_so_do_the_others(crowd: Crowd) -> None:
    """The newcomer's open stream goes on with the chat: nobody reconnects."""
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel")
    async with crowd.listen(ada) as hers, crowd.listen(bob) as his:
        await asyncio.gather(hers.hello(), his.hello())
        joined = await bob.join(chat)
        assert joined.member_count == 2
        added = await hers.until(lambda event: event.kind == "member.added", "member.added")
        assert added.payload(Membership) == Membership(chat_id=chat.id, user_id=bob.id, role="member")
        created = await his.until(lambda event: event.kind == "chat.created", "chat.created")
        assert created.payload(Chat).id == chat.id
        await ada.post(chat, "welcome")
        assert (await his.message("welcome")).place == (f"chat:{chat.id}", added.place[1] + 1)
    assert {member.user_id: member.role for member in await bob.members(chat)} == {ada.id: "owner", bob.id: "member"}


async def test_joining_again_changes_nothing(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel")
    async with crowd.listen(ada) as stream:
        await stream.hello()
        await bob.join(chat)
        assert (await bob.join(chat)).member_count == 2
        await bob.post(chat, "here I am")
        await stream.message("here I am")
        assert [event.kind for event in stream.events].count("member.added") == 1


async def test_many_who_post_at_once_are_numbered_without_gaps(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    others = await crowd.colleagues(ada, "Bob", "Eve", "Dan")
    chat = await ada.create_chat("Group", others=others)
    async with crowd.listen(others[0]) as stream:
        await stream.hello()
        posts = [person.post(chat, f"{person.id} says {n}") for person in (ada, *others) for n in range(25)]
        answered = await asyncio.gather(*posts)
        heard = [(await stream.next()).payload(Message) for _ in answered]
    assert sorted(message.seq for message in answered) == list(range(1, 101))
    assert [message.seq for message in heard] == list(range(1, 101))
    assert await ada.whole_history(chat) == heard


async def test_history_is_paged_both_ways_by_its_links(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    posted = [await ada.post(chat, f"message {n}") for n in range(23)]
    assert await ada.whole_history(chat, limit=10) == posted
    assert await ada.history(chat, "?limit=5") == posted[:-6:-1]
    assert await ada.history(chat, f"?limit=5&before_id={posted[10].id}") == posted[5:10][::-1]
    assert await ada.history(chat, f"?limit=5&after_id={posted[10].id}") == posted[11:16]
    around = await ada.history(chat, f"?limit=5&around_id={posted[10].id}")
    assert {message.id for message in around} >= {posted[9].id, posted[10].id, posted[11].id}
    newest = await ada.ask("GET", f"/api/chats/{chat.id}/messages?limit=5&after_id={posted[-1].id}")
    assert (newest.list_of(Message), newest.next_page()) == ([], None)


async def test_history_is_found_by_the_moment_it_was_said(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    assert await ada.history(chat, "?at=2020-01-01T00:00:00Z") == []
    posted = [await ada.post(chat, f"message {n}") for n in range(30)]

    async def at(moment: str) -> list[Message]:
        return await ada.history(chat, f"?limit=5&at={moment}")

    for message in posted:
        assert message.id in {one.id for one in await at(f"{message.created_at:%Y-%m-%dT%H:%M:%S.%fZ}")}
    assert posted[0] in await at("1999-12-31T23:59:59%2B08:00")
    assert posted[-1] in await at("2999-01-01T00:00:00Z")


@pytest.mark.parametrize("at", ["yesterday", "2026-01-05T00:00:00", "", "0000-00-00T00:00:00Z", "9" * 400])
async def test_a_moment_that_is_none_is_refused(crowd: Crowd, at: str) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    (await ada.ask("GET", f"/api/chats/{chat.id}/messages?at={at}")).problem(400, "invalid_request")


async def test_a_moment_tells_an_outsider_nothing(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PrivateChannel")
    await ada.post(chat, "hidden")
    (await bob.ask("GET", f"/api/chats/{chat.id}/messages?at=2020-01-01T00:00:00Z")).problem(404, "not_found")


async def test_the_chat_list_counts_what_is_unread_and_shows_the_last_word(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    quiet = await ada.create_chat("Group", others=[bob, eve])
    busy = await ada.create_chat("Group", others=[bob, eve])
    await ada.post(quiet, "one")
    last = [await ada.post(busy, text) for text in ("two", f"three, @{bob.user.username}")][-1]
    listed = await bob.chats()
    assert [chat.id for chat in listed] == [busy.id, quiet.id]
    assert (listed[0].last_seq, listed[0].unread_count, listed[0].mention_count) == (2, 2, 1)
    assert listed[0].last_message == last
    assert last.mentions == [bob.id]
    assert [chat.unread_count for chat in await ada.chats()] == [0, 0]
