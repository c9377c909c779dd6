"""A NATS server, and both ends of what it carries.

nats        one server, for one test that may kill it
line        runs both ends of what NATS carries
patient     no end gives NATS up for being late
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.nats.cluster import Cluster
from fechatter.bus import nats_link, nats_publisher
from fechatter.config import Settings
from fechatter.store.database import Database
from tests.integration.bus.line import Line, OpenLine
from tests.support.nats import cluster_of
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def nats(tmp_path: Path) -> Generator[Cluster]:
    with cluster_of(tmp_path / "nats", 1) as running:
        yield running


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a second is no outage: NATS counts as away when it says so, or is gone."""
    monkeypatch.setattr(nats_link, "CONNECT_S", PATIENCE_S)
    monkeypatch.setattr(nats_link, "BEAT_S", PATIENCE_S)
    monkeypatch.setattr(nats_publisher, "ANSWER_S", PATIENCE_S)


@pytest_asyncio.fixture
async def line(settings: Settings) -> AsyncGenerator[OpenLine]:
    database = await Database.open(settings.server.db_url, 2)
    yield lambda messaging: Line.open(messaging, database, settings.server.db_url)
    await database.close()
