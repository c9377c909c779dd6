"""People who talk, and an index that is fed by the real indexer.

Scene.open        with somebody and a chat
scene.indexing    the indexer at work, during the block
scene.found       what a search of the chat gives, by text
scene.until_found waits for that
scene.until_built until nobody builds
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from fechatter.domain.search import Query
from fechatter.search.index import SearchAway
from fechatter.search.indexer import Indexer
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.server import Server
from fechatter.store.search import meilisearch_state as state
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.support.meilisearch import MeilisearchServer
from tests.support.waiting import eventually
from tests.support.world import World


class Scene:
    """`index` and `server` are the program's; `operator` is the server as who runs it sees it."""

    def __init__(self, world: World, operator: MeilisearchServer, server: Server, ada: Person, chat: Chat) -> None:
        self.world, self.operator, self.server, self.ada, self.chat = world, operator, server, ada, chat
        self.index = MeilisearchIndex(world.db, server)
        self.settings = msgspec.structs.replace(world.settings, search=operator.search)

    @classmethod
    @asynccontextmanager
    async def open(cls, world: World, operator: MeilisearchServer) -> AsyncGenerator["Scene"]:
        ada = await world.person("Ada")
        chat = await ada.create_chat("PrivateChannel", "found")
        async with Server.open(operator.search) as server:
            yield cls(world, operator, server, ada, chat)

    @asynccontextmanager
    async def indexing(self) -> AsyncGenerator[Indexer]:
        async with Indexer.open(self.settings, care_s=0.2) as indexer:
            task = asyncio.create_task(indexer.run())
            try:
                yield indexer
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.ada.post(self.chat, text)

    async def found(self, text: str, **fields: Any) -> list[str]:
        """Texts of the messages found, as they are now; also those that are gone, as `?`."""
        wanted: dict[str, Any] = {"chats": [self.chat.id]} | fields
        query = Query(text=text, **wanted)
        ids = [hit.message_id for hit in (await self.index.search(query)).hits]
        rows = await self.world.db.fetch("SELECT id, content FROM messages WHERE id = ANY($1)", ids)
        texts = {row["id"]: row["content"] for row in rows}
        return [texts.get(id_, "?") for id_ in ids]

    async def until_found(self, text: str, *expected: str, **fields: Any) -> None:
        """Until a search gives exactly these, in any order. While Meilisearch cannot answer, it is asked again."""

        async def met() -> bool:
            with suppress(SearchAway):
                return sorted(await self.found(text, **fields)) == sorted(expected)
            return False

        await eventually(met, f"{text!r} finds {expected}")

    async def until_built(self) -> None:
        """What a build has taken in is found before the build is over; until then there is no other."""

        async def met() -> bool:
            async with self.world.db.connection() as connection:
                return await state.claim(connection) and await state.load(connection) is None

        await eventually(met, "nobody builds")
