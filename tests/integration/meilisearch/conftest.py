"""A Meilisearch for these tests, emptied before each.

meilisearch   the server, shared
own_server    one that the test may break
scene         an app, people, and an index that the indexer feeds
"""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.integration.meilisearch.scene import Scene
from tests.support.meilisearch import MeilisearchServer, need_binary
from tests.support.world import World


@pytest.fixture
def meilisearch(meilisearch_server: MeilisearchServer) -> MeilisearchServer:
    meilisearch_server.empty()
    return meilisearch_server


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[MeilisearchServer]:
    need_binary()
    with MeilisearchServer.start(tmp_path_factory.mktemp("meilisearch")) as server:
        yield server


@pytest.fixture
async def scene(world: World, meilisearch: MeilisearchServer) -> AsyncGenerator[Scene]:
    async with Scene.open(world, meilisearch) as scene:
        yield scene


@pytest.fixture
async def breakable(world: World, own_server: MeilisearchServer) -> AsyncGenerator[Scene]:
    async with Scene.open(world, own_server) as scene:
        yield scene
