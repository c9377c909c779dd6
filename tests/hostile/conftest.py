"""Fixtures of the corpus: one app in the test's own process, without rate limits; each test has people of its own."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.database import DatabaseServer
from tests.support.world import World, lasting


@pytest.fixture(scope="session")
async def world(postgres: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[World]:
    async with lasting(postgres, tmp_path_factory.mktemp("hostile")) as running:
        yield running
