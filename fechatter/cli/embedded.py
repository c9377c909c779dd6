"""The embedded PostgreSQL of a data folder.

    database_url(…)      the address of the database in force, for one command
    attach(data_dir)     the same for the embedded one: the running server's, else one started for the time being
    EmbeddedPostgres     prepare the folder, and tell how to start and stop the server

Only processes of this user reach it: it listens on a unix socket in a private folder, with a generated password.
Any process may be killed at any moment: the cluster appears whole or not at all, the folder's lock dies with its
holder, and what an earlier run left over is stopped before the next server starts.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psutil

from fechatter.cli.access import Owner, open_path, owner_for
from fechatter.cli.cluster import (
    DATABASE,
    ROLE,
    Programs,
    check_version,
    clean_environment,
    create_cluster,
    run_as,
    write_settings,
)
from fechatter.cli.folder import hold
from fechatter.config import Settings
from fechatter.config.secrets import make_data_folder, secret_file
from fechatter.domain.errors import OperatorError

PORT = 5432
SOCKET_PATH_MAX = 90
POLL_S = 0.02
LOG_TAIL_BYTES = 4096
STOP_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""A fast, clean stop; a stop that needs recovery at the next start; the end."""


class EmbeddedPostgres:
    """One data folder's PostgreSQL.

    pgdata    the cluster's folder
    url       how clients connect; set by prepare()
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.pgdata = data_dir / "postgres"
        self.url = ""
        self._owner = Owner(0, 0)
        self._programs = Programs(Path(), "")
        self._sockets = Path()

    def prepare(self) -> None:
        """Make everything ready for a start; on the first run that makes the cluster.

        Needs the folder's lock. Blocks for seconds, up to 30 when an earlier server has to be stopped.
        """
        self._owner = owner_for(self.pgdata)
        open_path(self.pgdata, self._owner)
        self._programs = Programs.find(self.data_dir, self._owner)
        password = secret_file(self.data_dir, "postgres_password")
        if not (self.pgdata / "PG_VERSION").exists():
            create_cluster(self._programs, self.pgdata, self._owner, password)
        check_version(self._programs, self.pgdata)
        _take_from_root(self.pgdata, self._owner)
        self.stop_leftovers()
        write_settings(self.pgdata, self._owner)
        self._sockets = _socket_folder(self.data_dir, self._owner)
        _clear_sockets(self._sockets)
        self.url = address(self._sockets, password)

    def command(self) -> list[str]:
        """Run it from the main thread: it is stopped when the thread that started it ends."""
        return run_as(
            self._owner,
            self.pgdata,
            self._programs.folder / "postgres",
            *("-D", str(self.pgdata), "-c", "listen_addresses=", "-c", f"port={PORT}"),
            *("-c", f"unix_socket_directories={self._sockets}", "-c", "unix_socket_permissions=0700"),
        )

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment()

    @property
    def start_log(self) -> Path:
        """What the server says before its own log is open."""
        return self.data_dir / "postgres-start.log"

    def is_ready(self) -> bool:
        """Whether a server accepts connections. True may be a moment old."""
        found = _postmaster(self.pgdata)
        return found is not None and found[1] == "ready"

    def why_not(self) -> str:
        """The server's own words about a start that failed."""
        logs = sorted((self.pgdata / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)[-1:]
        lines = [line for path in (*logs, self.start_log) if path.exists() for line in _last_lines(path)]
        told = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return told[-1] if told else (lines[-1] if lines else "it said nothing")

    def stop_leftovers(self) -> None:
        """End the server of an earlier run, and processes that outlived it, before anything touches its files.

        A file postmaster.pid that names a process which is something else by now (after a restart of the machine or
        container) is removed: PostgreSQL itself would take that process for a server.
        """
        pid_file = self.pgdata / "postmaster.pid"
        if not pid_file.exists():
            return
        for number, patience in STOP_STEPS:
            left = _processes_in(self.pgdata)
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            if not psutil.wait_procs(left, timeout=patience)[1]:
                break
        pid_file.unlink(missing_ok=True)


@contextmanager
def database_url(settings: Settings) -> Generator[str]:
    """The configured database, else the data folder's own, running for the time of the block."""
    if settings.server.db_url:
        yield settings.server.db_url
        return
    with attach(settings.data_dir) as url:
        yield url


@contextmanager
def attach(data_dir: Path) -> Generator[str]:
    """The address of the data folder's PostgreSQL, running for the time of the block, whoever started it."""
    make_data_folder(data_dir)
    server = EmbeddedPostgres(data_dir)
    if url := running_url(data_dir):
        yield url
        return
    with hold(data_dir):
        server.prepare()
        with _serving(server):
            yield server.url


def running_url(data_dir: Path) -> str | None:
    """The address of the server that runs now, or None. For processes that may read the data folder's secrets."""
    found = _postmaster(data_dir / "postgres")
    if found is None or found[1] != "ready" or not _answers(found[2]):
        return None
    return address(found[2], secret_file(data_dir, "postgres_password"))


def address(sockets: Path, password: str) -> str:
    return f"postgresql://{ROLE}:{password}@/{DATABASE}?host={quote(str(sockets))}&port={PORT}"


@contextmanager
def _serving(server: EmbeddedPostgres) -> Generator[None]:
    with server.start_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            server.command(), env=server.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        while not server.is_ready():
            if process.poll() is not None:
                raise OperatorError(f"PostgreSQL does not start: {server.why_not()}")
            time.sleep(POLL_S)
        yield
    finally:
        for number, patience in STOP_STEPS:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                break


def _answers(sockets: Path) -> bool:
    """Whether anybody listens: a server that was killed leaves its files."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(sockets / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
    return True


def _postmaster(pgdata: Path) -> tuple[int, str, Path] | None:
    """Process id, state and socket folder of the server that wrote postmaster.pid, or None if it is not whole."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None
    if len(lines) < 8 or not lines[0].isdecimal():
        return None
    return int(lines[0]), lines[7].strip(), Path(lines[4])


def _processes_in(pgdata: Path) -> list[psutil.Process]:
    """PostgreSQL's processes work in their cluster's folder."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.name().startswith("postgres") and process.cwd() == str(pgdata.resolve()):
                found.append(process)
    return found


def _clear_sockets(folder: Path) -> None:
    """Nobody serves here by now. What a killed server left bars the next one while its process waits to be reaped."""
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder / name).unlink(missing_ok=True)


def _last_lines(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - LOG_TAIL_BYTES, 0))
        return file.read().decode(errors="replace").splitlines()


def _take_from_root(pgdata: Path, owner: Owner) -> None:
    """A cluster that root copied belongs to root; PostgreSQL wants its own."""
    if os.geteuid() == 0 and pgdata.stat().st_uid != owner.uid:
        for path in [pgdata, *pgdata.rglob("*")]:
            os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def _socket_folder(data_dir: Path, owner: Owner) -> Path:
    """A private folder in the data folder; where that path is too long for a socket, one in the temporary folder."""
    folder = data_dir / "run"
    if len(os.fsencode(folder)) > SOCKET_PATH_MAX:
        name = sha256(os.fsencode(data_dir)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"fechatter-{owner.uid}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or found.st_uid not in (owner.uid, os.geteuid()):
        raise OperatorError(f"{folder} belongs to someone else: remove it, PostgreSQL's socket goes there.")
    os.chown(folder, owner.uid, owner.gid)
    folder.chmod(0o700)
    return folder
