"""Messages from before there was a search, and the list of words kept short."""

import asyncio

import msgspec

from fechatter.config import Limits, Settings
from fechatter.domain.search import Query
from fechatter.domain.vectors import indexed
from fechatter.search import upkeep
from fechatter.search.builtin import BuiltinIndex
from fechatter.store.search import backfill, vocabulary
from tests.support.world import World


async def test_a_worker_takes_in_what_was_there_before(settings: Settings) -> None:
    """Newest first, what is deleted not at all, and what has its words already not again."""
    async with World.open(msgspec.structs.replace(settings, limits=Limits(enabled=False))) as world:
        ada = await world.person("Ada")
        chat = await ada.create_chat("PublicChannel")
        kept = await asyncio.gather(*(ada.post(chat, f"walnut {n}") for n in range(1_203)))
        gone = await ada.post(chat, "walnut deleted")
        await ada.ask("DELETE", f"/api/chats/{chat.id}/messages/{gone.id}")
        await world.db.fetch("DELETE FROM message_words WHERE message_id <> $1", kept[5].id)
        await world.db.fetch("DELETE FROM search_words")
        index = BuiltinIndex(world.db)
        assert (await index.search(Query(text="walnut", chats=[chat.id], limit=100))).total == 1
        assert (await index.health()).behind == len(kept) + 1
        await upkeep.complete(world.db)
        assert (await index.search(Query(text="walnut", chats=[chat.id]))).total == 1000
        assert (await index.search(Query(text="wallnut", chats=[chat.id]))).total == 1000
        assert await world.db.fetch_value("SELECT count(*) FROM message_words") == len(kept)
        assert (await index.health()).behind == 0


async def test_a_text_of_any_length_is_stored_and_found_by_its_beginning(settings: Settings) -> None:
    """Also one with more different characters than a vector holds, by an operator who allows it."""
    limits = Limits(enabled=False, content_chars=200_000)
    async with World.open(msgspec.structs.replace(settings, limits=limits)) as world:
        ada = await world.person("Ada")
        chat = await ada.create_chat("PublicChannel")
        rare = "".join(chr(0x20000 + n * 7919 % 40_000) for n in range(120_000))
        await ada.post(chat, f"walnut {rare} hazelnut")
        index = BuiltinIndex(world.db)
        totals = [
            (await index.search(Query(text=text, chats=[chat.id]))).total for text in ("walnut", rare[:3], "hazelnut")
        ]
        assert totals == [1, 1, 0]


async def test_an_edit_between_reading_and_writing_keeps_its_new_words(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel")
    message = await ada.post(chat, "oldword")
    async with world.db.connection() as connection:
        texts = await backfill.texts(connection, [message.id], anew=True)
        await ada.ask("PUT", f"/api/chats/{chat.id}/messages/{message.id}", {"content": "newword"})
        await backfill.write(connection, texts, [indexed("oldword").vector])
    index = BuiltinIndex(world.db)
    assert (await index.search(Query(text='"newword"', chats=[chat.id]))).total == 1
    assert (await index.search(Query(text='"oldword"', chats=[chat.id]))).total == 0


async def test_a_step_from_before_does_not_shorten_a_rebuilding(world: World) -> None:
    """A worker had taken its messages when somebody ordered all of them anew, from the same place."""
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel")
    await ada.post(chat, "walnut")
    async with world.db.connection() as connection:
        step = await backfill.next_step(connection, 500)
        assert step is not None
        await backfill.begin_anew(connection)
        await backfill.advance(connection, step)
        anew = await backfill.next_step(connection, 500)
    assert anew == msgspec.structs.replace(step, anew=True)


async def test_words_that_hardly_anybody_has_go_first(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel")
    for text in ("common solitary", "common thing", "common thing"):
        await ada.post(chat, text)
    async with world.db.connection() as connection:
        assert await vocabulary.forget_rare(connection, 10) == 1
    left = {row["word"] for row in await world.db.fetch("SELECT word FROM search_words")}
    assert left == {"common", "thing"}
