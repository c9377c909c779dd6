"""A real PostgreSQL for tests, and a fresh migrated database from it in some 30 ms.

DatabaseServer.start(folder)   the embedded server in a folder of its own, with a migrated template
DatabaseServer.clone()         → the address of a new database
DatabaseServer.drop(url)
"""

from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from fechatter.cli.embedded import EmbeddedPostgres, attach
from fechatter.store.migrate import migrate
from tests.support.waiting import run_apart

TEMPLATE = "fechatter_template"
# Tests kill processes, not the machine: what was written survives without being forced to the disk.
QUICK = "fsync = off\nsynchronous_commit = on\nfull_page_writes = off\nmax_connections = 300\n"


class DatabaseServer:
    """A running server. `url` is its maintenance database, with a role that may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = count(1)

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Generator["DatabaseServer"]:
        _make_quick(folder)
        with attach(folder) as url:
            server = cls(url)
            server._execute(f"CREATE DATABASE {TEMPLATE}")
            run_apart(lambda: migrate(server.named(TEMPLATE)))
            yield server

    def named(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def clone(self, *, migrated: bool = True) -> str:
        """The address of a new database: with this program's schema, or empty."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}")
        return self.named(name)

    def drop(self, url: str) -> None:
        """Also when something is still connected."""
        name = urlsplit(url).path[1:]
        try:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")
        except asyncpg.InsufficientPrivilegeError:
            # An autovacuum worker is in it, which our role may not end by force; without it, PostgreSQL sends it away.
            self._execute(f"DROP DATABASE {name}")

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        run_apart(execute)


def _make_quick(folder: Path) -> None:
    """The cluster's settings folder can only be filled once the cluster is there."""
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(folder)
    server.prepare()
    (server.pgdata / "conf.d" / "50-tests.conf").write_text(QUICK)
