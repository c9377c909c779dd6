"""Fixtures for tests of the API in the test's own process.

world   the app on a database of the test's own, with a workspace
"""

from collections.abc import AsyncGenerator

import pytest

from fechatter.config import Settings
from tests.support.world import World


@pytest.fixture
async def world(settings: Settings) -> AsyncGenerator[World]:
    async with World.open(settings) as running:
        yield running
