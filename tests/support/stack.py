"""The whole program as processes: `fechatter up` with ports and a data folder of its own.

Stack.start(folder, …)       run `fechatter up` and wait until it is ready
stack.api_url, .notify_url   where the services are
stack.pid("notify_server")   the process of a part: fechatter_server, notify_server, worker, PostgreSQL or NATS
stack.pids("notify_server")  of a part with several processes
stack.kill("notify_server")  SIGKILL to a part; the supervisor starts it again
stack.wait_ready()           until every process of both services is there and ready
stack.stop()                 SIGTERM, and the exit code
stack.kill_everything()      SIGKILL to all of its processes at the same moment
stack.restart()              a new `up` on the same folder and ports
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import psutil

from fechatter.cli.embedded import running_url
from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 40.0
PARTS = ("fechatter_server", "notify_server", "worker", "PostgreSQL")
OPTIONAL = ("NATS",)


class Stack:
    """One `fechatter up`.

    process   the supervisor that runs now, or the last one
    folder    holds `data` (its data folder) and `up.log` (all output of all starts)
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log = folder / "up.log"
        self.api_port, self.notify_port = free_port(), free_port()
        self._environment = dict(environment)
        self.process = self._spawn()

    @classmethod
    def start(cls, folder: Path, **settings: str) -> "Stack":
        """`settings` are environment variables, e.g. FECHATTER_AUTH__SIGNUP="closed"."""
        folder.mkdir(parents=True, exist_ok=True)
        stack = cls(folder, settings)
        try:
            stack.wait_ready()
        except BaseException:
            stack.kill_everything()
            raise
        return stack

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def notify_url(self) -> str:
        return f"http://127.0.0.1:{self.notify_port}"

    @property
    def database_url(self) -> str:
        """Of the embedded PostgreSQL while it runs, or the one that was given."""
        url = self._environment.get("DATABASE_URL") or running_url(self.data_dir)
        assert url, "PostgreSQL does not run"
        return url

    @property
    def environment(self) -> dict[str, str]:
        """What another command of the program needs, to work on this stack."""
        return clean_environment() | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "FECHATTER_DATA_DIR": str(self.data_dir),
            "FECHATTER_SERVER__PORT": str(self.api_port),
            "FECHATTER_NOTIFY__PORT": str(self.notify_port),
            **self._environment,
        }

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the program on this stack, e.g. command("doctor")."""
        return subprocess.run(
            [sys.executable, "-m", "fechatter", *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def pid(self, part: str) -> int:
        """Waits while the part is being started again."""
        return wait_until(lambda: self._find(part), f"{part} runs").pid

    def pids(self, part: str) -> list[int]:
        """Those that run at this moment, the longest-running first."""
        return [process.pid for process in self._all_of(part)]

    def kill(self, part: str) -> int:
        """The process id that is no more. For PostgreSQL that is the postmaster."""
        while True:
            pid = self.pid(part)
            with suppress(ProcessLookupError):  # it has just ended by itself: the next one is killed
                os.kill(pid, signal.SIGKILL)
                break
        wait_until(lambda: is_gone(pid), f"{part} is gone")
        return pid

    def wait_ready(self) -> None:
        """Until each process of both services has answered 200 on /ready; several share a port, and any may answer."""
        ready: set[tuple[str, int]] = set()
        wait_until(
            lambda: self._is_ready(ready), f"the stack is ready; it says:\n{self.output()[-3000:]}", START_PATIENCE_S
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code; afterwards no process of the stack is left."""
        family = self.family()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_PATIENCE_S)
        wait_until(lambda: all(is_gone(pid) for pid in family), f"no process is left of {family}")
        return code

    def kill_supervisor(self) -> None:
        self.process.kill()
        self.process.wait()

    def kill_everything(self) -> None:
        family = self.family()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: all(is_gone(pid) for pid in family), "all processes are gone")

    def restart(self) -> None:
        """A new `up` on the same folder and ports, after stop() or a kill."""
        assert self.process.poll() is not None, "it still runs"
        self.process = self._spawn()
        self.wait_ready()

    def family(self) -> list[int]:
        """The supervisor's process and all below it; empty when it has ended."""
        try:
            supervisor = psutil.Process(self.process.pid)
            return [process.pid for process in [supervisor, *supervisor.children(recursive=True)]]
        except psutil.NoSuchProcess:
            return []

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fechatter", "up"],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _find(self, part: str) -> psutil.Process | None:
        return next(iter(self._all_of(part)), None)

    def _all_of(self, part: str) -> list[psutil.Process]:
        assert part in PARTS + OPTIONAL
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if _part_of(process.cmdline()) == part:
                        found.append(process)
        return found

    def _is_ready(self, ready: set[tuple[str, int]]) -> bool:
        """Ask each service once more, and note in `ready` which of its processes answered."""
        assert self.process.poll() is None, f"`up` ended:\n{self.output()[-3000:]}"
        wanted = 0
        for url, role in ((self.api_url, "SERVER"), (self.notify_url, "NOTIFY")):
            wanted += int(self._environment.get(f"FECHATTER_{role}__WORKERS", "1"))
            if (number := ready_process(url)) is not None:
                ready.add((url, number))
        return len(ready) == wanted


def clean_environment() -> dict[str, str]:
    """Ours, without what would set the program or PostgreSQL."""
    return {
        name: text for name, text in os.environ.items() if not name.startswith(("FECHATTER_", "DATABASE_URL", "PG"))
    }


def answers_ready(url: str) -> bool:
    return ready_process(url) is not None


def ready_process(url: str) -> int | None:
    """The number of the process that answers 200 on /ready, 1 where there is only one; None if none does."""
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:  # noqa: S310 - http, on this machine
            return int(json.load(answer).get("process", 1))
    except (OSError, HTTPException):
        return None


def _part_of(command: list[str]) -> str | None:
    if command and Path(command[0]).name == "postgres":
        return "PostgreSQL"
    if command and Path(command[0]).name == "nats-server":
        return "NATS"
    if "fechatter" in command:
        role = command[command.index("fechatter") + 1]
        return {"server": "fechatter_server", "notify": "notify_server", "worker": "worker"}.get(role)
    return None


def is_gone(pid: int) -> bool:
    """It has ended, whether or not anybody has asked how."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
