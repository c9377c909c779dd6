"""Meilisearch dies, hangs, is full, or has forgotten what it knew: it is noticed, and made good without a hand."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import msgspec
import pytest

from fechatter.config import Search
from fechatter.domain.search import Backend, Document, Query
from fechatter.search import fallback as fallback_module
from fechatter.search import indexer as indexer_module
from fechatter.search.fallback import Answered, Fallback
from fechatter.search.index import SearchAway
from fechatter.search.meilisearch import building
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.questions import question
from fechatter.search.meilisearch.server import LIVE, Server
from fechatter.search.memory import MemoryIndex
from fechatter.store.log import consumers
from fechatter.store.search import meilisearch_state as state
from tests.integration.meilisearch.scene import Scene
from tests.support import log
from tests.support.waiting import PATIENCE_S, eventually


class BrokenOff(Exception):
    pass


MEANWHILE = 300
"""More at once would be beyond what one person may post."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries, so that no test waits for half a minute."""
    monkeypatch.setattr("fechatter.consumers.consumer.LONGEST_PAUSE_S", 0.3)
    monkeypatch.setattr(indexer_module, "LONGEST_PAUSE_S", 0.3)
    monkeypatch.setattr(fallback_module, "LONGEST_PAUSE_S", 0.3)


async def test_what_is_said_while_meilisearch_is_killed_is_found_when_it_is_back(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
        scene.operator.kill()
        await scene.say("word meanwhile")
        scene.operator.run()
        await scene.say("word after")
        await scene.until_found("word", "word before", "word meanwhile", "word after")


async def test_what_is_said_while_meilisearch_is_full_is_found_when_there_is_room(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
        scene.operator.fill()
        texts = [f"word {n} {'filler' * 200}" for n in range(5)]
        await scene.say(*texts)

        async def fails() -> bool:
            async with scene.world.db.connection() as connection:
                found = [each for each in await consumers.standings(connection) if each.name == "meilisearch"]
            return bool(found and found[0].failure and found[0].behind)

        await eventually(fails, "the indexer tells that it fails")
        scene.operator.drain()
        if not scene.operator.is_running():
            scene.operator.run()
        await scene.until_found("word", "word before", *texts)


async def test_an_old_dump_that_is_put_back_is_caught_up_from_the_log(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
        dump = scene.operator.dump()
        late = await scene.ada.post(scene.chat, "word late")
        await scene.ada.post(scene.chat, "word last")
        await scene.until_found("word", "word before", "word late", "word last")
        before = await scene.server.plate(LIVE)
        await scene.ada.ask("DELETE", f"/api/chats/{scene.chat.id}/messages/{late.id}")
        await scene.until_found("word", "word before", "word last")
        scene.operator.restore(dump)
        await scene.until_found("word", "word before", "word last")
        assert await scene.server.plate(LIVE) == before


async def test_a_dump_older_than_the_log_has_the_index_built_anew(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
        dump = scene.operator.dump()
        await scene.say("word late")
        await scene.until_found("word", "word before", "word late")
        before = await scene.server.plate(LIVE)
        await log.forget(scene.world.db)
        scene.operator.restore(dump)

        async def renewed() -> bool:
            with suppress(Exception):
                return (await scene.server.plate(LIVE)) not in (None, before)
            return False

        await eventually(renewed, "a new index")
        await scene.until_found("word", "word before", "word late")


async def test_a_meilisearch_that_lost_all_is_filled_again(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
        scene.operator.lose_everything()
        await scene.say("word after")
        await scene.until_found("word", "word before", "word after")


async def test_changes_that_the_log_has_forgotten_are_made_good(scene: Scene) -> None:
    """The worker was off for longer than events are kept."""
    async with scene.indexing():
        await scene.say("word before")
        await scene.until_found("word", "word before")
    await scene.say("word unseen")
    await log.forget(scene.world.db)
    async with scene.indexing():
        await scene.until_found("word", "word before", "word unseen")


async def test_a_build_that_is_broken_off_goes_on_and_misses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "AT_ONCE", 3)
    monkeypatch.setattr(building, "AHEAD", 1)
    texts = [f"word number {n}" for n in range(20)]
    await scene.say(*texts)
    done: list[int] = []
    async with scene.indexing():
        await scene.until_found("word", *texts, limit=50)
        await scene.until_built()
        before = await scene.server.plate(LIVE)

        def break_off(progress: object) -> None:
            done.append(getattr(progress, "done", 0))
            if len(done) == 3:
                raise BrokenOff

        with pytest.raises(BrokenOff):
            await scene.index.rebuild(break_off)
        async with scene.world.db.connection() as connection:
            half = await state.load(connection)
        assert half is not None
        assert half.done == 9
        await scene.say("word meanwhile")
        await scene.until_found("meanwhile", "word meanwhile")  # in the old index
        again: list[int] = []
        await scene.index.rebuild(lambda progress: again.append(progress.done))
        assert again[0] > 9, "it went on where it was"
        after = await scene.server.plate(LIVE)
        assert after is not None
        assert after != before
        await scene.until_found("word", *texts, "word meanwhile", limit=50)


async def test_posts_during_a_build_are_in_the_new_index(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "AT_ONCE", 5)
    texts = [f"word number {n}" for n in range(30)]
    await scene.say(*texts)
    async with scene.indexing():
        await scene.until_found("word", *texts, limit=100)
        await scene.until_built()
        building_it = asyncio.create_task(scene.index.rebuild(lambda _progress: None))
        n = 0
        while not building_it.done() and n < MEANWHILE:
            n += 1
            await scene.say(f"word meanwhile {n}")
        await building_it
        await scene.until_found("word", *texts, *(f"word meanwhile {m}" for m in range(1, n + 1)), limit=1000)


async def test_only_one_builds(scene: Scene) -> None:
    await scene.say("word")
    async with scene.world.db.connection() as another:
        assert await state.claim(another)
        with pytest.raises(building.BuildUnderWay):
            await scene.index.rebuild(lambda _progress: None)
    await scene.index.rebuild(lambda _progress: None)


async def test_while_meilisearch_is_away_the_second_search_answers_and_says_so(breakable: Scene) -> None:
    scene = breakable
    async with scene.indexing():
        await scene.say("word one")
        await scene.until_found("word", "word one")
        search = Fallback(scene.index, await _second(scene), patience_s=PATIENCE_S)
        assert _told(await _ask(search, scene)) == (Backend.MEILISEARCH, False, 1)
        assert await search.check() == ""
        scene.operator.kill()
        assert _told(await _ask(search, scene)) == (Backend.BUILTIN, True, 1)
        assert "Meilisearch" in search.complaint
        scene.operator.run()

        async def recovered() -> bool:
            return not (await _ask(search, scene)).degraded

        await eventually(recovered, "Meilisearch is asked again")
        assert search.complaint == ""


async def test_a_slow_meilisearch_is_left_alone(scene: Scene) -> None:
    async with scene.indexing():
        await scene.say("word one")
        await scene.until_found("word", "word one")
        async with _through(scene) as (slow, line):
            search = Fallback(slow, await _second(scene), patience_s=PATIENCE_S)
            assert not (await _ask(search, scene)).degraded
            line.clear()
            search.patience_s = 0.2
            assert _told(await _ask(search, scene)) == (Backend.BUILTIN, True, 1)
            assert search.complaint == "Meilisearch is too slow."
            line.set()
            search.patience_s = PATIENCE_S

            async def recovered() -> bool:
                return not (await _ask(search, scene)).degraded

            await eventually(recovered, "Meilisearch is asked again")


async def test_an_index_that_lags_is_not_asked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that lacks the last hours would look like a whole one."""
    async with scene.indexing():
        await scene.say("word one")
        await scene.until_found("word", "word one")
    search = Fallback(scene.index, await _second(scene), patience_s=PATIENCE_S)
    await scene.say("word two")
    assert not (await _ask(search, scene)).degraded
    await scene.world.db.fetch("UPDATE events SET at = at - interval '1 hour'")
    assert (await _ask(search, scene)).degraded
    assert "brought up to date" in await search.check(), "what is asked for its health says the same"


async def test_an_index_that_lacks_what_was_committed_late_is_not_asked(scene: Scene) -> None:
    """The indexer went on past a transaction that was under way, and stopped before that had come to its end."""
    async with scene.indexing():
        await scene.say("word one")
        await scene.until_found("word", "word one")
    search = Fallback(scene.index, await _second(scene), patience_s=PATIENCE_S)
    await scene.world.db.fetch(
        "UPDATE log_consumers SET highest = (SELECT xid FROM events ORDER BY xid DESC LIMIT 1), pending = '{}'"
    )
    await scene.world.db.fetch("UPDATE events SET at = at - interval '1 hour'")
    assert not (await _ask(search, scene)).degraded
    await scene.world.db.fetch("UPDATE log_consumers SET pending = ARRAY[highest]")
    assert (await _ask(search, scene)).degraded


@pytest.mark.parametrize("body", ["<html>Back soon</html>", "{}", "[]", '"ok"', ""], ids=repr)
async def test_something_else_at_the_address_counts_as_away(body: str) -> None:
    """A proxy, say, that answers all with 200."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    asked = question(Query(text="word", chats=[1]))
    assert asked is not None
    proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    async with proxy, Server.open(Search(enabled=True, url=url)) as server:
        for asking in (
            server.search(asked, 1, 10),
            server.put(LIVE, [{"id": 1}]),
            server.count(LIVE),
            server.create(LIVE),
        ):
            with pytest.raises(SearchAway):
                await asking


@asynccontextmanager
async def _through(scene: Scene) -> AsyncGenerator[tuple[MeilisearchIndex, asyncio.Event]]:
    """The index over a line on which nothing comes through while the event is clear."""
    is_open = asyncio.Event()
    is_open.set()
    port = urlsplit(scene.operator.url).port

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                await is_open.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, their_writer), carry(their_reader, writer))

    line = await asyncio.start_server(connect, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{line.sockets[0].getsockname()[1]}"
    async with Server.open(msgspec.structs.replace(scene.operator.search, url=address)) as server:
        yield MeilisearchIndex(scene.world.db, server), is_open
    line.close()


async def _second(scene: Scene) -> MemoryIndex:
    """Stands for the built-in search, which has tests of its own."""
    second = MemoryIndex()
    rows = await scene.world.db.fetch("SELECT * FROM messages")
    await second.index(
        [
            Document(
                message_id=row["id"],
                workspace_id=row["workspace_id"],
                chat_id=row["chat_id"],
                sender_id=row["sender_id"],
                content=row["content"],
                file_names=(),
                mentions=(),
                sent_at=row["created_at"],
            )
            for row in rows
        ]
    )
    return second


async def _ask(search: Fallback, scene: Scene) -> Answered:
    return await search.search(Query(text="word", chats=[scene.chat.id]))


def _told(answer: Answered) -> tuple[Backend, bool, int]:
    return answer.backend, answer.degraded, answer.found.total
