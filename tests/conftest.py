"""Fixtures for all tests. Real parts: a real PostgreSQL, real processes.

postgres       (session) a PostgreSQL server of this test process
database_url   a fresh database with the schema, dropped afterwards
empty_database_url   the same without the schema
settings       Settings that use database_url, free ports and a folder of the test
stack          `fechatter up` of the test's own: kill and restart it at will (about 3 s)
meilisearch_server   (session) a Meilisearch; its indexes belong to whoever uses it at the moment
shared_stack   (session) one for all tests of this process that leave it as it is: make users of your own
"""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from fechatter import config
from fechatter.config import Notify, Server, Settings
from tests.support.database import DatabaseServer
from tests.support.meilisearch import MeilisearchServer, need_binary
from tests.support.not_tested import pytest_terminal_summary
from tests.support.ports import free_port
from tests.support.stack import Stack

__all__ = ["pytest_terminal_summary"]

_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=(hypothesis.HealthCheck.too_slow,))
hypothesis.settings.register_profile("same", _PATIENT, derandomize=True)
hypothesis.settings.register_profile("anew", _PATIENT)
hypothesis.settings.load_profile("same")
"""The same examples everywhere, and no machine is too slow for them. `--hypothesis-profile=anew` looks for others."""


def pytest_configure(config: pytest.Config) -> None:
    """Each run gets a temporary folder of its own.

    Every pytest that starts closes the one that pytest shares between runs to all but its user. As root, PostgreSQL
    is another user, and a run must not lose its servers because another run begins.
    """
    if config.option.basetemp is None:
        config.option.basetemp = Path(tempfile.mkdtemp(prefix="fechatter-tests-")) / "run"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What a failed run left is kept to be looked at."""
    folder = Path(session.config.option.basetemp).parent
    if exitstatus == pytest.ExitCode.OK and folder.name.startswith("fechatter-tests-"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[DatabaseServer]:
    """One server for each test process; clone() gives a database in some 30 ms."""
    with DatabaseServer.start(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def database_url(postgres: DatabaseServer) -> Generator[str]:
    """A database with this program's schema, for one test."""
    url = postgres.clone()
    yield url
    postgres.drop(url)


@pytest.fixture
def empty_database_url(postgres: DatabaseServer) -> Generator[str]:
    """A database without a table, for one test."""
    url = postgres.clone(migrated=False)
    yield url
    postgres.drop(url)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Ready to serve with: a database, a signing key, two free ports and the test's own data folder."""
    return config.prepare(
        Settings(
            data_dir=tmp_path / "data",
            server=Server(port=free_port(), db_url=database_url),
            notify=Notify(port=free_port()),
        )
    )


@pytest.fixture(scope="session")
def meilisearch_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[MeilisearchServer]:
    need_binary()
    with MeilisearchServer.start(tmp_path_factory.mktemp("meilisearch")) as server:
        yield server


@pytest.fixture
def stack(tmp_path: Path) -> Generator[Stack]:
    """`fechatter up` with its embedded PostgreSQL, ready, for one test that may kill what it likes."""
    running = Stack.start(tmp_path / "stack")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """`fechatter up`, ready, for tests that do not disturb each other: without rate limits, make your own users."""
    running = Stack.start(tmp_path_factory.mktemp("shared") / "stack", FECHATTER_LIMITS__ENABLED="false")
    yield running
    running.stop()
