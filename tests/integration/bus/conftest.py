"""A NATS server, and a town whose news it carries.

nats        one server, for one test that may kill it
nats_town   people and a notify_server; what they do is told by NATS alone
line        runs both ends of what NATS carries
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from deploy.nats.cluster import Cluster
from fechatter.config import Settings
from fechatter.store.database import Database
from tests.integration.bus.line import Line, OpenLine
from tests.integration.notify.town import Town
from tests.support.nats import cluster_of, messaging_of


@pytest.fixture
def nats(tmp_path: Path) -> Generator[Cluster]:
    with cluster_of(tmp_path / "nats", 1) as running:
        yield running


@pytest_asyncio.fixture
async def nats_town(settings: Settings, nats: Cluster) -> AsyncGenerator[Town]:
    async with Town.open(replace(settings, messaging=messaging_of(nats))) as town:
        yield town


@pytest_asyncio.fixture
async def line(settings: Settings) -> AsyncGenerator[OpenLine]:
    database = await Database.open(settings.server.db_url, 2)
    yield lambda messaging: Line.open(messaging, database, settings.server.db_url)
    await database.close()
