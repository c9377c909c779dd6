"""Single processes of the program, run and mistreated by a test.

Part       a service: start, kill, pause, go_on, drain, ready
Postgres   the embedded server: the same, without a drain
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from fechatter.cli.embedded import EmbeddedPostgres
from tests.support.stack import answers_ready

START_PATIENCE_S = 90.0
POLL_S = 0.05


class Part:
    """One process.

    name      e.g. "notify 1"
    port      where it serves; 0: it serves nobody
    process   the one that runs now, or ran last
    environment   what it is started with, from the next start on
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, port: int) -> None:
        self.name, self.port = name, port
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = dict(environment)
        self._command, self._log = list(command), log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self.process is not None:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    async def drain(self, patience_s: float) -> float:
        """Ask it to end; how long that took. AssertionError if it takes longer."""
        assert self.process is not None
        began = time.monotonic()
        self._signal(signal.SIGTERM)
        while self.process.poll() is None:
            assert time.monotonic() - began < patience_s, f"{self.name} does not end"
            await asyncio.sleep(POLL_S)
        return time.monotonic() - began

    async def ready(self) -> None:
        """Until it answers 200 on /ready, started anew if it ends: so do supervisors."""
        deadline = time.monotonic() + START_PATIENCE_S
        while self.port and not await asyncio.to_thread(answers_ready, self.url):
            assert time.monotonic() < deadline, f"{self.name} does not become ready:\n{self.last_words()}"
            if not self.runs:
                self.start()
            await asyncio.sleep(POLL_S)

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-3_000:]

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class Postgres:
    """The embedded server, run here, so that it can be killed and started."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def socket(self) -> str:
        """Where it listens."""
        query = parse_qs(urlsplit(self.url).query)
        return f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"

    def start(self) -> None:
        """Blocks for a second or more; what an earlier one left is stopped first."""
        self._server.prepare()
        with self._server.start_log.open("wb") as log:
            self._process = subprocess.Popen(
                self._server.command(), env=self._server.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_PATIENCE_S
        while not self._server.is_ready():
            assert self._process.poll() is None, f"PostgreSQL does not start: {self._server.why_not()}"
            assert time.monotonic() < deadline, "PostgreSQL does not become ready"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """The postmaster alone; its children notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        self.kill()
        self._server.stop_leftovers()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """To the postmaster and its children."""
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                for process in [postmaster := psutil.Process(self._process.pid), *postmaster.children()]:
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(number)
