"""The list of chats: one statement, never stale, whichever server made the change."""

import asyncio

from fechatter.server.sidebar_cache import TTL_S, SidebarCache
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.support.world import World, statements


async def test_the_list_costs_one_statement_the_first_time_and_after(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    for n in range(5):
        chat = await ada.create_chat("PublicChannel", f"room {n}", [bob])
        await bob.post(chat, "hello @ada")
    with statements(1):
        first = await ada.chats()
    with statements(1):
        assert await ada.chats() == first
    with statements(1):
        await ada.ask("GET", f"/api/chats?workspace_id={world.workspace_id}&limit=2")


async def test_posting_and_reading_the_history_cost_one_statement_each(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    chat = await ada.create_chat("PublicChannel", "room", [bob])
    with statements(1):
        await ada.post(chat, "hello @bob", idempotency_key="once")
    with statements(1):
        await bob.history(chat)
    with statements(1):
        await bob.history(chat, "?limit=1&before_id=1")


async def test_newest_activity_comes_first_and_pages_follow_each_other(world: World) -> None:
    ada = await world.person("Ada")
    chats = [await ada.create_chat("PublicChannel", f"room {n}") for n in range(5)]
    await ada.post(chats[1], "up")
    wanted = [chats[n].id for n in (1, 4, 3, 2, 0)]
    assert [chat.id for chat in await ada.chats()] == wanted
    found: list[int] = []
    page: str | None = "/api/chats?limit=2"
    while page is not None:
        answer = await ada.ask("GET", page)
        found += [chat.id for chat in answer.list_of(Chat)]
        page = answer.next_page()
    assert found == wanted


async def test_every_change_shows_at_once_in_a_list_that_was_just_fetched(world: World) -> None:
    """Also when another server made it: nothing has to reach the cache."""
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "x", [bob, cem])
    path = f"/api/chats/{chat.id}"
    message = (await bob.post(chat, "hello @ada")).id
    changes = [
        ("POST", f"{path}/messages", {"content": "again @ada"}),
        ("PUT", f"{path}/messages/{message}", {"content": "not you"}),
        ("POST", f"{path}/messages", {"content": "last"}),
        ("DELETE", f"{path}/messages/{message}", None),
        ("PUT", path, {"name": "y"}),
        ("DELETE", f"{path}/members/{cem.id}", None),
        ("POST", f"{path}/members", {"user_ids": [cem.id]}),
    ]
    before = await _list(ada)
    for method, where, body in changes:
        person = ada if "messages" not in where else bob
        assert (await person.ask(method, where, body)).status < 300
        after = await _list(ada)
        if (method, body) != ("DELETE", None) or "members" in where:
            assert after != before, (method, where)
        before = after
    await ada.ask("POST", f"{path}/read", {"seq": 2})
    assert [each["unread_count"] for each in await _list(ada)] == [1]
    await ada.ask("DELETE", path)
    assert await _list(ada) == []


async def test_an_ended_session_gets_no_list_from_the_cache(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    for person in (ada, bob):
        await person.create_chat("Single", "notes")
        await person.chats()
    await world.sign_out(ada)
    await world.suspend(bob)
    for person in (ada, bob):
        (await person.ask("GET", "/api/chats")).problem(401, "unauthenticated")


async def test_one_suspended_in_a_workspace_sees_its_chats_no_more(world: World) -> None:
    ada = await world.person("Ada")
    await ada.create_chat("PublicChannel", "room")
    assert len(await ada.chats()) == 1
    await world.db.fetch("UPDATE workspace_members SET status = 'Suspended' WHERE user_id = $1", ada.id)
    assert await ada.chats() == []


async def test_lists_of_many_people_at_once_are_their_own(world: World) -> None:
    people = await world.people(*(f"P{n}" for n in range(10)))
    for person in people:
        await person.create_chat("Single", f"of {person.id}")
    lists = await asyncio.gather(*(person.chats() for person in people for _ in range(3)))
    owners = [person.id for person in people for _ in range(3)]
    assert [[chat.created_by for chat in found] for found in lists] == [[owner] for owner in owners]


async def test_a_long_list_goes_on_over_links_also_from_the_cache(world: World) -> None:
    ada = await world.person("Ada")
    made = [(await ada.create_chat("PublicChannel", f"room {n}")).id for n in range(5)]
    for _ in range(2):
        first = await ada.ask("GET", "/api/chats?limit=3")
        assert first.headers["link"] == '</api/chats?limit=3&offset=3>; rel="next"'
        rest = await ada.ask("GET", "/api/chats?limit=3&offset=3")
        assert "link" not in rest.headers
        pages = [*first.json(list[dict[str, object]]), *rest.json(list[dict[str, object]])]
        assert [chat["id"] for chat in pages] == made[::-1]


def test_the_cache_forgets_after_half_a_minute() -> None:
    now = 0.0
    cache = SidebarCache(clock=lambda: now)
    cache.put((1, None, 50, 0), "stamp", b"[]", more=False)
    now = TTL_S - 1
    assert cache.get((1, None, 50, 0)) is not None
    now = TTL_S
    assert cache.get((1, None, 50, 0)) is None
    assert cache.size == 0


def test_the_cache_keeps_within_its_room_and_drops_the_oldest() -> None:
    cache = SidebarCache(most_bytes=100)
    for user_id in range(10):
        cache.put((user_id, None, 50, 0), "stamp", b"x" * 25, more=False)
    assert cache.size == 100
    assert [cache.get((user_id, None, 50, 0)) is not None for user_id in (5, 6)] == [False, True]
    cache.put((20, None, 50, 0), "stamp", b"x" * 26, more=False)
    assert cache.get((20, None, 50, 0)) is None


async def _list(person: Person) -> list[dict[str, object]]:
    return (await person.ask("GET", "/api/chats")).json(list[dict[str, object]])
