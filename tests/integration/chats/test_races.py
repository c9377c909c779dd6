"""What must hold when things are done at the same moment. Many rounds: each may fall either way."""

import asyncio
from collections import Counter

import msgspec

from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat
from tests.support.locks import until_waiting
from tests.support.waiting import PATIENCE_S
from tests.support.world import World

ROUNDS = 8


def statuses(*answers: Answer) -> list[int]:
    return [answer.status for answer in answers]


async def owners(world: World, chat: Chat) -> int:
    return await world.db.fetch_value(
        "SELECT count(*) FROM chat_members WHERE chat_id = $1 AND role = 'owner'", chat.id
    )


async def together(*asking: "asyncio.Future[Answer]") -> list[Answer]:
    return list(await asyncio.wait_for(asyncio.gather(*asking), PATIENCE_S))


def asks(person: Person, method: str, path: str, json: object = None) -> "asyncio.Future[Answer]":
    return asyncio.ensure_future(person.ask(method, path, json))


async def test_of_two_owners_who_leave_at_once_one_stays(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    for _ in range(ROUNDS):
        chat = await ada.create_chat("Group", "x", [bob, cem])
        await world.db.fetch(
            "UPDATE chat_members SET role = 'owner' WHERE chat_id = $1 AND user_id = $2", chat.id, bob.id
        )
        leave = f"/api/chats/{chat.id}/leave"
        answers = await together(asks(ada, "POST", leave), asks(bob, "POST", leave))
        assert sorted(statuses(*answers)) == [204, 409]
        assert await owners(world, chat) == 1


async def test_a_chat_keeps_an_owner_when_it_is_handed_over_to_one_who_leaves(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    for _ in range(ROUNDS):
        chat = await ada.create_chat("Group", "x", [bob, cem])
        handing, leaving = await together(
            asks(ada, "PATCH", f"/api/chats/{chat.id}/members/{bob.id}", {"role": "owner"}),
            asks(bob, "POST", f"/api/chats/{chat.id}/leave"),
        )
        assert statuses(handing, leaving) in ([200, 409], [404, 204])
        assert await owners(world, chat) == 1


async def test_of_two_hand_overs_at_once_one_counts(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    for _ in range(ROUNDS):
        chat = await ada.create_chat("Group", "x", [bob, cem])
        path = f"/api/chats/{chat.id}/members"
        answers = await together(*(asks(ada, "PATCH", f"{path}/{heir.id}", {"role": "owner"}) for heir in (bob, cem)))
        assert sorted(statuses(*answers)) == [200, 403]
        assert await owners(world, chat) == 1


async def test_an_admin_who_is_being_removed_adds_nobody_afterwards(world: World) -> None:
    """The role is read after the chat is held, not before."""
    ada, bob, cem, dee = await world.people("Ada", "Bob", "Cem", "Dee")
    for _ in range(ROUNDS):
        chat = await ada.create_chat("Group", "x", [bob, cem])
        await ada.ask("PATCH", f"/api/chats/{chat.id}/members/{bob.id}", {"role": "admin"})
        adding, _ = await together(
            asks(bob, "POST", f"/api/chats/{chat.id}/members", {"user_ids": [dee.id]}),
            asks(ada, "DELETE", f"/api/chats/{chat.id}/members/{bob.id}"),
        )
        events = [event.type for event in await world.events(f"chat:{chat.id}")]
        assert adding.status in (201, 404)
        assert events[1:] == (["member.added", "member.removed"] if adding.status == 201 else ["member.removed"])


async def test_what_a_removed_member_posts_comes_before_the_removal_or_not_at_all(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    for n in range(ROUNDS):
        chat = await ada.create_chat("Group", "x", [bob, cem])
        path = f"/api/chats/{chat.id}/messages"
        asking = [asks(person, "POST", path, {"content": f"{n}"}) for person in (bob, cem, bob, cem, bob)]
        asking.insert(n % 5, asks(ada, "DELETE", f"/api/chats/{chat.id}/members/{bob.id}"))
        answers = await together(*asking)
        rows = await world.db.fetch(
            """
            SELECT e.type, m.sender_id FROM events e LEFT JOIN messages m ON m.id = e.message_id
            WHERE e.stream = $1 ORDER BY e.pos
            """,
            f"chat:{chat.id}",
        )
        types = [row["type"] for row in rows]
        after = rows[types.index("member.removed") :]
        assert bob.id not in [row["sender_id"] for row in after]
        posted = Counter(statuses(*answers))
        assert posted[201] == types.count("message.created")
        assert posted.keys() <= {201, 204, 404}


async def test_a_post_that_waited_for_its_senders_removal_is_refused(world: World) -> None:
    """It began before the removal was committed: what it saw of the members was out of date when its turn came."""
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "x", [bob, cem])
    async with world.db.transaction() as tx:
        await tx.execute("SELECT FROM chats WHERE id = $1 FOR NO KEY UPDATE", chat.id)
        posts = [asks(person, "POST", f"/api/chats/{chat.id}/messages", {"content": "hi"}) for person in (bob, cem)]
        await until_waiting(world.db, 1)
        await tx.execute("DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat.id, bob.id)
        await tx.execute("UPDATE chats SET departures = departures + 1 WHERE id = $1", chat.id)
    assert statuses(*await together(*posts)) == [404, 201]
    assert [message.sender_id for message in await ada.history(chat)] == [cem.id]


async def test_adding_the_same_people_at_once_adds_each_once(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    crowd = await world.crowd(30)
    chat = await ada.create_chat("PrivateChannel", "x", [bob])
    await ada.ask("PATCH", f"/api/chats/{chat.id}/members/{bob.id}", {"role": "admin"})
    path = f"/api/chats/{chat.id}/members"
    answers = await together(
        *(asks(person, "POST", path, {"user_ids": crowd[n : n + 20]}) for n in range(10) for person in (ada, bob))
    )
    assert set(statuses(*answers)) == {201}
    assert (await ada.chats())[0].member_count == 2 + 29
    added = [event for event in await world.events(f"chat:{chat.id}") if event.type == "member.added"]
    assert len({msgspec.json.encode(event.payload) for event in added}) == len(added) == 29


async def test_changes_of_crossing_chats_and_people_never_deadlock(world: World) -> None:
    """Every transaction locks chats before users, and users in order."""
    people = await world.people("Ada", "Bob", "Cem", "Dee")
    ada = people[0]
    chats = [await ada.create_chat("PublicChannel", f"room {n}") for n in range(3)]
    asking: list[asyncio.Future[Answer]] = []
    for n in range(24):
        chat, person = chats[n % 3], people[1 + n % 3]
        asking += [
            asks(ada, "POST", f"/api/chats/{chat.id}/members", {"user_ids": [each.id for each in people]}),
            asks(person, "POST", f"/api/chats/{chat.id}/leave"),
            asks(person, "POST", f"/api/chats/{chat.id}/join"),
            asks(person, "POST", f"/api/chats/{chat.id}/messages", {"content": "@ada"}),
            asks(person, "POST", f"/api/chats/{chat.id}/read", {"seq": n}),
        ]
    answers = await together(*asking)
    assert set(statuses(*answers)) <= {200, 201, 204, 403}, [answer.body for answer in answers if answer.status == 400]
    for chat in chats:
        rows = await world.db.fetch_value("SELECT count(*) FROM chat_members WHERE chat_id = $1", chat.id)
        assert (await ada.ask("GET", f"/api/chats/{chat.id}")).json(Chat).member_count == rows
        assert await world.events(f"chat:{chat.id}")


async def test_one_who_goes_from_the_workspace_is_not_put_into_a_chat_meanwhile(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PrivateChannel", "x")
    async with world.db.transaction() as tx:
        await tx.execute("SELECT FROM workspaces WHERE id = $1 FOR NO KEY UPDATE", world.workspace_id)
        adding = asks(ada, "POST", f"/api/chats/{chat.id}/members", {"user_ids": [bob.id]})
        await until_waiting(world.db, 1)
        await tx.execute("DELETE FROM workspace_members WHERE user_id = $1", bob.id)
    assert statuses(*await together(adding)) == [400]


async def test_both_asking_for_their_single_at_once_get_the_same(world: World) -> None:
    for n in range(ROUNDS):
        ada, bob = await world.people(f"Ada {n}", f"Bob {n}")
        answers = await together(
            asks(ada, "POST", "/api/chats", {"type": "Single", "members": [bob.id]}),
            asks(bob, "POST", "/api/chats", {"type": "Single", "members": [ada.id]}),
        )
        assert sorted(statuses(*answers)) == [200, 201]
        assert len({msgspec.json.decode(answer.body)["id"] for answer in answers}) == 1


async def test_edits_and_deletion_at_once_leave_a_tombstone_and_events_in_order(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "x", [bob])
    message = await bob.post(chat, "first")
    path = f"/api/chats/{chat.id}/messages/{message.id}"
    answers = await together(
        *(asks(bob, "PUT", path, {"content": f"edit {n} @ada"}) for n in range(5)),
        asks(ada, "DELETE", path),
        asks(bob, "DELETE", path),
    )
    edits = Counter(statuses(*answers[:5]))
    assert edits.keys() <= {200, 409}
    events = [event.type for event in await world.events(f"chat:{chat.id}")]
    assert events == ["message.created", *["message.updated"] * edits[200], "message.deleted"]
    [left] = await ada.history(chat)
    assert (left.content, left.mentions, left.deleted_at is None) == ("", [], False)
    assert (await ada.chats())[0].mention_count == 0
