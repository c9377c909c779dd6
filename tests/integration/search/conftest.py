"""A world with messages that everybody searches in, and every backend that finds them.

town     an app without rate limits, for all tests of this folder
corpus   what was said in it, by its text
index    each backend, filled with it: a backend of your own belongs into BACKENDS
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec
import pytest

from fechatter.domain.search import Found, Query
from fechatter.search.builtin import BuiltinIndex
from fechatter.search.index import Index
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.server import Server
from fechatter.search.memory import MemoryIndex
from fechatter.store.search import documents
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.integration.files.uploading import upload
from tests.integration.search.texts import FILE_NAME, TEXTS
from tests.support.database import DatabaseServer
from tests.support.meilisearch import MeilisearchServer
from tests.support.world import World, lasting


class Corpus(msgspec.Struct, frozen=True):
    """`texts`: by message id. `others`: a chat that the searcher is not in, where everything was said as well."""

    world: World
    chat: Chat
    others: Chat
    texts: dict[int, str]

    def query(self, text: str, **changes: object) -> Query:
        asked = Query(text=text, chats=[self.chat.id], limit=100)
        return msgspec.structs.replace(asked, **changes)

    def said(self, found: Found) -> list[str]:
        """The texts of hits, best first; what is nobody's to find would be no key here."""
        return [self.texts[hit.message_id] for hit in found.hits]


Open = Callable[[World, pytest.FixtureRequest], AbstractAsyncContextManager[Index]]


@asynccontextmanager
async def builtin(world: World, _: pytest.FixtureRequest) -> AsyncGenerator[Index]:
    yield BuiltinIndex(world.db)


@asynccontextmanager
async def in_memory(world: World, _: pytest.FixtureRequest) -> AsyncGenerator[Index]:
    index = MemoryIndex()
    async with world.db.connection() as connection:
        await index.index(await documents.after(connection, 0, 10_000))
    yield index


@asynccontextmanager
async def in_meilisearch(world: World, request: pytest.FixtureRequest) -> AsyncGenerator[Index]:
    """A real one, filled by a build."""
    operator: MeilisearchServer = request.getfixturevalue("meilisearch_server")
    operator.empty()
    async with Server.open(operator.search) as server:
        index = MeilisearchIndex(world.db, server)
        await index.rebuild(lambda _progress: None)
        yield index


BACKENDS: dict[str, Open] = {"builtin": builtin, "memory": in_memory, "meilisearch": in_meilisearch}


@pytest.fixture(scope="module")
async def town(postgres: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[World]:
    async with lasting(postgres, tmp_path_factory.mktemp("search")) as running:
        yield running


@pytest.fixture(scope="module")
async def corpus(town: World) -> Corpus:
    ada, bob = await town.people("Ada", "Bob")
    chat, others = await ada.create_chat("PublicChannel", "spoken"), await bob.create_chat("PrivateChannel", "hidden")
    texts = await _say(ada, chat, TEXTS)
    await _say(bob, others, TEXTS)
    return Corpus(town, chat, others, texts)


@pytest.fixture(scope="module", params=BACKENDS)
async def index(request: pytest.FixtureRequest, corpus: Corpus) -> AsyncGenerator[Index]:
    async with BACKENDS[request.param](corpus.world, request) as index:
        yield index


async def _say(person: Person, chat: Chat, texts: Sequence[str]) -> dict[int, str]:
    said = {(await person.post(chat, text)).id: text for text in texts}
    file = await upload(person, name=FILE_NAME)
    with_file = await person.post(chat, "see what I have drawn", files=[file.id])
    return said | {with_file.id: "see what I have drawn"}
