"""A town of the test's own."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from fechatter.config import Settings
from tests.integration.notify.town import Town


@pytest_asyncio.fixture
async def town(settings: Settings) -> AsyncGenerator[Town]:
    """A notify_server on an empty database, and what is needed to fill it."""
    async with Town.open(settings) as town:
        yield town
