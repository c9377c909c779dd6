"""The answers of the routes: pages, highlights, times, what is refused."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from fechatter.domain.search import Backend, Found, Query
from fechatter.search import fallback
from fechatter.search.fallback import Fallback
from fechatter.search.index import SearchAway
from fechatter.search.memory import MemoryIndex
from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat, Message
from tests.integration.search.conftest import Corpus
from tests.support.waiting import PATIENCE_S
from tests.support.world import World, statements


async def ask(person: Person, path: str = "/api/search/messages", **query: Any) -> Answer:
    return await person.ask("GET", f"{path}?{urlencode(query)}")


async def found(person: Person, **query: Any) -> dict[str, Any]:
    return (await ask(person, **query)).json(dict[str, Any])


@pytest.fixture
async def ada(town: World) -> Person:
    return await town.person("Ada", workspace_id=await town.new_workspace("Answers"))


@pytest.fixture
async def chat(ada: Person) -> Chat:
    return await ada.create_chat("PublicChannel")


async def test_an_answer_has_the_shape_of_the_contract(ada: Person, chat: Chat) -> None:
    posted = await ada.post(chat, "我们讨论数据库 connection pools")
    answer = await found(ada, q="数据库 pool")
    assert answer["total"] == 1
    assert (answer["backend"], answer["degraded"]) == ("builtin", False)
    assert answer["took_ms"] >= 0
    [hit] = answer["hits"]
    assert hit["message"]["id"] == posted.id
    assert hit["chat"] == {"id": chat.id, "name": chat.name, "type": "PublicChannel"}
    [highlight] = hit["highlights"]
    assert highlight["field"] == "content"
    assert "".join(part["text"] for part in highlight["parts"]) == posted.content
    assert [part["text"] for part in highlight["parts"] if part["match"]] == ["数据库", "pools"]


async def test_a_long_text_is_shown_around_its_match(ada: Person, chat: Chat) -> None:
    await ada.post(chat, f"{'before ' * 1000} thimble {'after ' * 1000}")
    [hit] = (await found(ada, q="thimble"))["hits"]
    [highlight] = hit["highlights"]
    assert [part["text"] for part in highlight["parts"] if part["match"]] == ["thimble"]
    assert sum(len(part["text"]) for part in highlight["parts"]) < 400


async def test_pages_are_linked_until_they_end(ada: Person, chat: Chat) -> None:
    posted = [await ada.post(chat, f"pigeon number {n}") for n in range(7)]
    page: str | None = "/api/search/messages?q=pigeon&limit=3"
    seen: list[int] = []
    for _ in range(3):
        assert page is not None
        answer = await ada.ask("GET", page)
        hits = answer.json(dict[str, Any])
        assert hits["total"] == 7
        seen += [hit["message"]["id"] for hit in hits["hits"]]
        page = answer.next_page()
    assert page is None
    assert sorted(seen) == [each.id for each in posted]


async def test_what_is_typed_wrongly_is_refused(ada: Person, chat: Chat) -> None:
    refused: list[dict[str, Any]] = [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"offset": 10**9}]
    refused += [{"has": "link"}, {"mentions": "you"}, {"chat_id": 0}, {"sender_id": "x"}]
    times = ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00Z")
    bad: list[dict[str, Any]] = [{"q": "a"} | each for each in [*refused, *({"after": time} for time in times)]]
    bad += [{}, {"q": ""}, {"q": "x" * 1025}, {"q": "x" * 60_000}, {"q": "a\x00b"}]
    for query in bad:
        (await ask(ada, **query)).problem(400, "invalid_request")
        if "chat_id" not in query:
            assert (await ask(ada, f"/api/chats/{chat.id}/messages/search", **query)).status == 400
    for path in ("/api/search", "/api/search/suggestions"):
        (await ask(ada, path, q="x" * 1025)).problem(400, "invalid_request")


async def test_times_bound_what_is_found(ada: Person, chat: Chat) -> None:
    message: Message = await ada.post(chat, "swallow")
    at = message.created_at.isoformat()
    assert (await found(ada, q="swallow", after=at))["total"] == 1
    assert (await found(ada, q="swallow", before=at))["total"] == 0
    assert (await ada.ask("GET", f"/api/search/messages?q=swallow&after={at}")).json(dict[str, Any])["total"] == 1


async def test_mentions_and_senders_are_filters(town: World, ada: Person, chat: Chat) -> None:
    bob = await town.person("Bob Heron", workspace_id=chat.workspace_id)
    await bob.join(chat)
    await ada.post(chat, f"@{bob.user.username} heron alert")
    await bob.post(chat, "heron heron")
    assert (await found(bob, q="heron"))["total"] == 2
    assert (await found(bob, q="heron", mentions="me"))["total"] == 1
    assert (await found(bob, q="heron", sender_id=bob.id))["total"] == 1
    assert (await found(ada, q="heron", mentions="me"))["total"] == 0


async def test_one_search_finds_people_and_channels_too(town: World, ada: Person) -> None:
    await ada.create_chat("PublicChannel", "magpie watchers")
    await town.person("Maggie Magpie", workspace_id=ada.workspace.id)
    answer = (await ask(ada, "/api/search", q="magpie")).json(dict[str, Any])
    assert [chat["name"] for chat in answer["chats"]] == ["magpie watchers"]
    assert [user["fullname"] for user in answer["people"]] == ["Maggie Magpie"]
    suggested = (await ask(ada, "/api/search/suggestions", q="magp")).list_of(dict[str, Any])
    assert [(each["kind"], each["text"]) for each in suggested] == [
        ("chat", "magpie watchers"),
        ("person", "Maggie Magpie"),
    ]


async def test_a_post_and_its_words_are_one_statement(ada: Person, chat: Chat) -> None:
    """Also with words that nobody has used before."""
    with statements(1):
        await ada.post(chat, "wholly unprecedented circumlocution")
    with statements(1):
        await ada.post(chat, "wholly unprecedented circumlocution")
    assert (await found(ada, q="unprecdented"))["total"] == 2


async def test_while_the_wanted_search_is_away_the_other_answers_and_says_so(corpus: Corpus) -> None:
    class Away(MemoryIndex):
        backend = Backend.MEILISEARCH

        async def search(self, query: Query) -> Found:
            raise SearchAway

    answered = await Fallback(Away(), MemoryIndex()).search(corpus.query("database"))
    assert (answered.backend, answered.degraded) == (Backend.BUILTIN, True)


async def test_a_question_that_is_slow_by_itself_sends_nobody_else_to_the_other_search(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "FIRST_PAUSE_S", PATIENCE_S)
    asked = asyncio.Event()

    class Slow(MemoryIndex):
        backend = Backend.MEILISEARCH

        async def search(self, query: Query) -> Found:
            if query.text == "slow":
                asked.set()
                await asyncio.get_running_loop().create_future()
            return Found([], 0, [])

    search = Fallback(Slow(), MemoryIndex(), patience_s=0.2)
    waiting = asyncio.create_task(search.search(corpus.query("slow")))
    await asked.wait()
    assert not (await search.search(corpus.query("quick"))).degraded
    assert (await waiting).degraded
    assert search.complaint == ""
    assert not (await search.search(corpus.query("quick"))).degraded
    assert (await search.search(corpus.query("slow"))).degraded
    assert search.complaint, "nobody was answered meanwhile"
    assert (await search.search(corpus.query("quick"))).degraded
