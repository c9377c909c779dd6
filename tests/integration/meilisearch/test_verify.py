"""`fechatter search verify` and `rebuild`: what is missing, extra or stale in an index is told, and mended."""

import asyncio
import os
import sys

import pytest

from fechatter.search import verifying
from fechatter.search.builtin_contents import BuiltinContents
from fechatter.search.meilisearch.contents import MeilisearchContents
from fechatter.search.meilisearch.server import LIVE
from fechatter.search.verifying import Contents, Verdict, verify
from tests.integration.meilisearch.scene import Scene


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PAUSE_S", 0.05)


async def _verdict(scene: Scene, contents: Contents) -> Verdict:
    return await verify(scene.world.db, contents, lambda _progress: None)


async def _command(scene: Scene, *arguments: str, by_meilisearch: bool) -> tuple[int, str]:
    search = scene.operator.search
    environment = {
        **os.environ,
        "FECHATTER_DATA_DIR": str(scene.settings.data_dir),
        "DATABASE_URL": scene.settings.server.db_url,
        "FECHATTER_SEARCH__ENABLED": str(by_meilisearch).lower(),
        "FECHATTER_SEARCH__URL": search.url,
        "FECHATTER_SEARCH__API_KEY": search.api_key,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fechatter", "search", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, (out + err).decode()


async def test_what_is_missing_extra_or_stale_in_meilisearch_is_told(scene: Scene) -> None:
    messages = [await scene.ada.post(scene.chat, f"word {n}") for n in range(5)]
    await scene.index.rebuild(lambda _progress: None)
    contents = MeilisearchContents(scene.server)
    assert (await _verdict(scene, contents)).is_good
    await scene.server.remove(LIVE, [messages[0].id])
    await scene.server.put(LIVE, [{"id": 999_999, "words": "nobody said so", "stamp": "x"}])
    await scene.server.put(LIVE, [{"id": messages[1].id, "words": "something else", "stamp": "y"}])
    verdict = await _verdict(scene, contents)
    assert (verdict.missing, verdict.extra, verdict.stale) == ([messages[0].id], [999_999], [messages[1].id])
    await scene.index.rebuild(lambda _progress: None)
    assert (await _verdict(scene, contents)).is_good


async def test_what_is_missing_extra_or_stale_in_the_built_in_index_is_told(scene: Scene) -> None:
    messages = [await scene.ada.post(scene.chat, f"我们的 word {n}") for n in range(5)]
    contents = BuiltinContents(scene.world.db)
    assert await _verdict(scene, contents) == Verdict(5, [], [], [])
    await scene.world.db.fetch("DELETE FROM message_words WHERE message_id = $1", messages[0].id)
    await scene.world.db.fetch("UPDATE message_words SET words = 'other:1' WHERE message_id = $1", messages[1].id)
    await scene.world.db.fetch(
        "INSERT INTO message_words SELECT 999999, workspace_id, chat_id, sender_id, sent_at, words FROM message_words"
        " WHERE message_id = $1",
        messages[2].id,
    )
    verdict = await _verdict(scene, contents)
    assert (verdict.missing, verdict.extra, verdict.stale) == ([messages[0].id], [999_999], [messages[1].id])


async def test_what_the_index_is_about_to_take_in_is_no_flaw(scene: Scene) -> None:
    """Messages are posted, edited and deleted while it compares."""
    async with scene.indexing():
        await scene.say("word 0")
        await scene.until_found("word", "word 0")

        async def talk() -> None:
            for n in range(1, 15):
                message = await scene.ada.post(scene.chat, f"word {n}")
                if n % 3 == 0:
                    await scene.ada.ask("DELETE", f"/api/chats/{scene.chat.id}/messages/{message.id}")

        talking = asyncio.create_task(talk())
        verdicts = [await _verdict(scene, MeilisearchContents(scene.server)) for _ in range(3)]
        await talking
        last = await scene.ada.post(scene.chat, "the last of all")
        await scene.until_found("last", "the last of all")
        assert last.id
        verdicts = [await _verdict(scene, MeilisearchContents(scene.server))]
    assert all(verdict.is_good for verdict in verdicts), verdicts


@pytest.mark.parametrize("by_meilisearch", [True, False])
async def test_the_commands_build_and_compare_the_search_that_is_set(scene: Scene, by_meilisearch: bool) -> None:
    await scene.say("word one", "第二句话")
    if by_meilisearch:
        code, told = await _command(scene, "verify", by_meilisearch=True)
        assert (code, "no index of ours yet" in told) == (1, True), told
    code, told = await _command(scene, "rebuild", by_meilisearch=by_meilisearch)
    assert code == 0, told
    code, told = await _command(scene, "verify", by_meilisearch=by_meilisearch)
    assert (code, "it holds what it should" in told) == (0, True), told
    if by_meilisearch:
        await scene.server.put(LIVE, [{"id": 999_999, "words": "nobody said so"}])
    else:
        await scene.world.db.fetch("DELETE FROM message_words")
    code, told = await _command(scene, "verify", by_meilisearch=by_meilisearch)
    assert code == 1
    assert "1 extra: message 999999" in told if by_meilisearch else "2 missing" in told
    assert "fechatter search rebuild" in told
