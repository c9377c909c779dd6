"""Fixtures for tests of files.

settings   with a small limit, and without rates
shared_world   (session) for tests that use people of their own
s3         (session) a real S3 server, SeaweedFS, on ports and in a folder of its own
"""

from collections.abc import AsyncGenerator, Generator

import pytest
from msgspec.structs import replace

from fechatter.config import Limits, Settings
from tests.support.database import DatabaseServer
from tests.support.s3 import S3Server
from tests.support.world import World, lasting


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, limits=Limits(enabled=False, file_bytes=2_000_000))


@pytest.fixture(scope="session")
async def shared_world(postgres: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[World]:
    async with lasting(postgres, tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Generator[S3Server]:
    with S3Server.start(tmp_path_factory.mktemp("s3")) as server:
        yield server
