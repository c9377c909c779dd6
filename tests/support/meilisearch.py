"""A real Meilisearch for tests, as an operator would run it: with a master key, and a scoped key for the program.

BINARY                    where scripts/setup puts it; None on a platform that it is not made for
need_binary               fail where it should be, skip loudly where it cannot
MeilisearchServer.start   on a free port of 127.0.0.1, with its data in a folder; ended afterwards
server.search             settings that use it
server.kill, server.run   as often as you like: the data stays
server.fill, server.drain its disk is full; there is room again
server.dump, server.restore
server.empty              without an index
"""

import platform
import resource
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fechatter.config import Search
from tests.support.not_tested import not_tested
from tests.support.ports import free_port
from tests.support.s3 import tethered
from tests.support.waiting import wait_until

_PACKAGE = Path(__file__).resolve().parents[1] / "meilisearch" / "node_modules" / "@gaubee" / "meilisearch-linux-amd64"
BINARY = path if (path := _PACKAGE / "meilisearch").is_file() else None
RUNS_HERE = sys.platform == "linux" and platform.machine() == "x86_64"
MISSING = "there is no Meilisearch in tests/meilisearch: on Linux x86-64 'scripts/setup --dev' installs it"
# What docs/operations.md tells operators to give.
RIGHTS = [
    *("search", "documents.add", "documents.get", "documents.delete", "stats.get", "tasks.get"),
    *("indexes.create", "indexes.get", "indexes.delete", "indexes.swap", "settings.get", "settings.update"),
]
_FULL_BYTES = 64 * 1024
_KEY_UID = "f0e1d2c3-b4a5-4697-8899-aabbccddeeff"


def need_binary() -> None:
    if BINARY is None and RUNS_HERE:
        pytest.fail(MISSING)
    if BINARY is None:
        not_tested("search by Meilisearch", MISSING)


class MeilisearchServer:
    """A server, running or not.

    search   what the program is given: an address and a key that is good for indexes of its own
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._master_key = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self.search = Search()

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Generator["MeilisearchServer"]:
        server = cls(folder)
        server.run()
        server.search = Search(enabled=True, url=server.url, api_key=server.scoped_key())
        try:
            yield server
        finally:
            server.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def run(self, *options: str) -> None:
        assert BINARY is not None, MISSING
        BINARY.chmod(0o755)  # npm does not keep that it is a program
        with (self._folder / "meilisearch.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*tethered(self._folder), BINARY, "--http-addr", f"127.0.0.1:{self._port}"),
                    *("--no-analytics", "--master-key", self._master_key, "--env", "production"),
                    *("--db-path", self._folder / "data", "--dump-dir", self._folder / "dumps"),
                    *("--snapshot-dir", self._folder / "snapshots", "--log-level", "WARN"),
                    *("--max-indexing-memory", "256MiB", "--max-indexing-threads", "1", *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )
        wait_until(self._answers, "Meilisearch answers", 60)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def lose_everything(self) -> None:
        """Its data is gone, with its keys; the operator makes the same key again."""
        self.kill()
        self._set_data_aside()
        self.run()
        assert self.scoped_key() == self.search.api_key

    def scoped_key(self) -> str:
        """The same each time: a key follows from the master key and its uid."""
        wanted = {"uid": _KEY_UID, "actions": RIGHTS, "indexes": ["fechatter*"], "expiresAt": None}
        return self.ask("POST", "/keys", wanted)["key"]

    def fill(self) -> None:
        """No file grows beyond some kilobytes any more: what is to be written fails, as on a full disk."""
        self._limit(_FULL_BYTES)

    def drain(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def empty(self) -> None:
        """Without an index, as before the program came."""
        for index in self.ask("GET", "/indexes")["results"]:
            self.wait(self.ask("DELETE", f"/indexes/{index['uid']}")["taskUid"])

    def dump(self) -> Path:
        """All that it holds, as it is now."""
        task = self.wait(self.ask("POST", "/dumps")["taskUid"])
        return self._folder / "dumps" / f"{task['details']['dumpUid']}.dump"

    def restore(self, dump: Path) -> None:
        """Put back what it held then, keys and all."""
        self.kill()
        self._set_data_aside()
        self.run("--import-dump", str(dump))

    def wait(self, task: int) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = self.ask("GET", f"/tasks/{task}")
            return found if found["status"] not in ("enqueued", "processing") else None

        return wait_until(ended, f"task {task} ends")

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """As its operator, with the master key."""
        headers = {"Authorization": f"Bearer {self._master_key}"}
        answer = httpx2.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def _set_data_aside(self) -> None:
        (self._folder / "data").rename(self._folder / f"data-{secrets.token_hex(4)}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "meilisearch.log").read_text()[-2000:]
        try:
            return httpx2.get(f"{self.url}/health", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    def _limit(self, size: int) -> None:
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
