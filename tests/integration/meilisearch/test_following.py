"""Meilisearch's index follows the database, whatever happens to either."""

import msgspec
import pytest

from fechatter.search.meilisearch import documents
from fechatter.search.meilisearch.server import LIVE
from tests.clients.api import Person
from tests.integration.meilisearch.scene import Scene
from tests.support.waiting import eventually


class Made(msgspec.Struct, frozen=True):
    id: int


async def test_what_is_posted_edited_and_deleted_is_found_as_it_is(scene: Scene) -> None:
    async with scene.indexing():
        message = await scene.ada.post(scene.chat, "the quick brown fox")
        await scene.until_found("quick", "the quick brown fox")
        await scene.ada.ask("PUT", f"/api/chats/{scene.chat.id}/messages/{message.id}", {"content": "a slow snail"})
        await scene.until_found("snail", "a slow snail")
        assert await scene.found("quick") == []
        await scene.ada.ask("DELETE", f"/api/chats/{scene.chat.id}/messages/{message.id}")
        await scene.until_found("snail")


async def test_what_was_said_before_meilisearch_came_is_found(scene: Scene) -> None:
    await scene.say("old news", "旧的消息")
    async with scene.indexing():
        await scene.until_found("news", "old news")
        await scene.until_found("消息", "旧的消息")
        await scene.say("newer news")
        await scene.until_found("news", "old news", "newer news")


async def test_a_deleted_chat_leaves_nothing_in_the_index(scene: Scene) -> None:
    other = await scene.ada.create_chat("PrivateChannel", "other")
    async with scene.indexing():
        await scene.ada.post(other, "gone soon")
        await scene.until_found("gone", "gone soon", chats=[other.id])
        await scene.ada.ask("DELETE", f"/api/chats/{other.id}")
        await scene.until_found("gone", chats=[other.id])


async def test_a_single_that_is_hidden_stays_in_the_index(scene: Scene) -> None:
    """Hiding tells its one member chat.deleted, and deletes nothing."""
    bob = await scene.world.person("Bob")
    single = await scene.ada.create_chat("Single", None, [bob])
    async with scene.indexing():
        await scene.ada.post(single, "just us")
        await scene.until_found("just", "just us", chats=[single.id])
        await scene.ada.ask("DELETE", f"/api/chats/{single.id}")
        await scene.say("later")
        await scene.until_found("later", "later")
        assert await scene.found("just", chats=[single.id]) == ["just us"]


async def test_a_deleted_workspace_leaves_nothing_in_the_index(scene: Scene) -> None:
    answer = await scene.ada.ask("POST", "/api/workspaces", {"name": "Short-lived"})
    where = answer.json(Made, 201).id
    made = await scene.ada.ask(
        "POST", "/api/chats", {"name": "room", "type": "PublicChannel", "members": [], "workspace_id": where}
    )
    room = made.json(Made, 201).id
    async with scene.indexing():
        await scene.ada.ask("POST", f"/api/chats/{room}/messages", {"content": "short-lived words"})
        await scene.until_found("words", "short-lived words", chats=[room])
        await scene.ada.ask("DELETE", f"/api/workspaces/{where}")
        await scene.until_found("words", chats=[room])


async def test_an_index_that_is_deleted_is_built_anew(scene: Scene) -> None:
    await scene.say("still here")
    async with scene.indexing():
        await scene.until_found("still", "still here")
        await scene.until_built()
        before = await scene.server.plate(LIVE)
        scene.operator.wait(scene.operator.ask("DELETE", f"/indexes/{LIVE}")["taskUid"])
        await scene.say("still talking")
        await scene.until_found("still", "still here", "still talking")
        assert await scene.server.plate(LIVE) != before


async def test_settings_of_another_version_build_a_new_index(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.say("one version")
    async with scene.indexing():
        await scene.until_found("version", "one version")
        before = await scene.server.plate(LIVE)
    for module in ("indexer", "meilisearch.building", "meilisearch.server", "meilisearch.documents"):
        monkeypatch.setattr(f"fechatter.search.{module}.VERSION", documents.VERSION + 1)
    async with scene.indexing():
        await scene.say("another version")
        await scene.until_found("version", "one version", "another version")

        async def renewed() -> bool:
            after = await scene.server.plate(LIVE)
            return after is not None and before is not None and after.build != before.build

        await eventually(renewed, "a new index is in place")
        await scene.until_found("version", "one version", "another version")


async def test_two_indexers_at_once_do_no_harm(scene: Scene) -> None:
    async with scene.indexing(), scene.indexing():
        await scene.say(*(f"message number {n}" for n in range(20)))
        await scene.until_found("number", *(f"message number {n}" for n in range(20)), limit=50)


async def test_one_takes_over_from_the_other(scene: Scene) -> None:
    async with scene.indexing():
        async with scene.indexing():
            await scene.say("first")
            await scene.until_found("first", "first")
        await scene.say("second")
        await scene.until_found("second", "second")


async def test_only_chats_that_are_named_are_found_and_counted(scene: Scene) -> None:
    bob: Person = await scene.world.person("Bob")
    secret = await bob.create_chat("PrivateChannel", "secret")
    async with scene.indexing():
        await bob.post(secret, "shared word")
        await scene.say("shared word here")
        await scene.until_found("shared", "shared word", chats=[secret.id])
        await scene.until_found("shared", "shared word here")
