"""The embedded PostgreSQL: whatever was killed, the next start works and the data is there."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from fechatter.cli.embedded import PORT, SOCKET_PATH_MAX, EmbeddedPostgres, attach, running_url
from fechatter.cli.folder import hold
from fechatter.domain.errors import OperatorError
from tests.support.stack import ROOT
from tests.support.waiting import run_apart, wait_until

HOLDER = """
import signal, sys
from pathlib import Path
from fechatter.cli.embedded import attach
with attach(Path(sys.argv[1])):
    signal.pause()
"""


def ask(url: str, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return run_apart(run)


def start_holder(folder: Path) -> subprocess.Popen[bytes]:
    """Another process that runs the folder's PostgreSQL."""
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], env={**os.environ, "PYTHONPATH": str(ROOT)})


def url_of(folder: Path) -> str:
    return wait_until(lambda: running_url(folder), "the server is ready")


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def test_data_survives_a_stop_and_only_its_owner_reaches_it(tmp_path: Path) -> None:
    with attach(tmp_path) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS value")
        assert ask(url, "SHOW listen_addresses") == ""
        assert [ask(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SHOW timezone") == "UTC"
        stranger = url.replace(":" + url.split(":")[2].partition("@")[0], ":wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(stranger, "SELECT 1")
    assert running_url(tmp_path) is None
    with attach(tmp_path) as url:
        assert ask(url, "SELECT value FROM kept") == 42
    assert (tmp_path / "postgres").stat().st_mode & 0o077 == 0


def test_a_running_server_is_shared_not_started_twice(tmp_path: Path) -> None:
    with attach(tmp_path) as first:
        pid = postmaster(tmp_path).pid
        with attach(tmp_path) as second:
            assert second == first
        assert postmaster(tmp_path).pid == pid
        assert ask(first, "SELECT 1") == 1


def test_a_folder_made_half_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.unfinished" / "0123abcd" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with attach(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1
    assert not (tmp_path / "postgres.unfinished").exists()


def test_making_the_folder_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    process = start_holder(tmp_path)
    unfinished, made = tmp_path / "postgres.unfinished", tmp_path / "postgres"
    wait_until(lambda: any(unfinished.glob("*/cluster/base")) or made.exists(), "initdb is at work, or just was")
    process.kill()
    process.wait()
    with attach(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1


def test_everything_killed_at_once_loses_nothing_committed(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    ask(url_of(tmp_path), "CREATE TABLE kept AS SELECT 42 AS value")
    server = postmaster(tmp_path)
    family = [psutil.Process(holder.pid), server, *server.children()]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    holder.wait()
    psutil.wait_procs(family)
    with attach(tmp_path) as url:
        assert ask(url, "SELECT value FROM kept") == 42


def test_the_server_ends_with_its_killed_holder(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    url_of(tmp_path)
    server = postmaster(tmp_path)
    holder.kill()
    holder.wait()
    wait_until(lambda: not server.is_running(), "the server is gone")
    with attach(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_server_left_over_is_stopped_before_the_next_start(tmp_path: Path) -> None:
    with attach(tmp_path) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS value")
    server = EmbeddedPostgres(tmp_path)
    server.prepare()
    left_over = subprocess.Popen(server.command(), env=server.environment, stderr=subprocess.DEVNULL)
    wait_until(server.is_ready, "the server is ready")
    os.kill(left_over.pid, signal.SIGSTOP)
    (tmp_path / "postgres" / "postmaster.pid").write_text(f"{left_over.pid}\n")
    os.kill(left_over.pid, signal.SIGCONT)
    with attach(tmp_path) as url:
        assert left_over.wait(30) is not None
        assert ask(url, "SELECT value FROM kept") == 42


def test_a_pid_file_that_names_another_program_hurts_neither(tmp_path: Path) -> None:
    with attach(tmp_path):
        lines = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
    bystander = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    lines[0] = str(bystander.pid)
    (tmp_path / "postgres" / "postmaster.pid").write_text("\n".join(lines[:-1]))
    with attach(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_killed_server_that_nobody_has_reaped_yet_does_not_bar_the_next(tmp_path: Path) -> None:
    with attach(tmp_path):
        pass
    server = EmbeddedPostgres(tmp_path)
    server.prepare()
    killed = subprocess.Popen(server.command(), env=server.environment, stderr=subprocess.DEVNULL)
    wait_until(server.is_ready, "the server is ready")
    killed.kill()
    wait_until(lambda: psutil.Process(killed.pid).status() == psutil.STATUS_ZOMBIE, "it waits to be reaped")
    with attach(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1
    killed.wait()


def test_a_start_that_fails_is_told_in_the_servers_own_words(tmp_path: Path) -> None:
    with attach(tmp_path):
        pass
    (tmp_path / "postgres" / "conf.d" / "50-own.conf").write_text("shared_buffers = 'nonsense'\n")
    with pytest.raises(OperatorError) as caught, attach(tmp_path):
        pass
    assert "PostgreSQL does not start: configuration file" in str(caught.value)


def test_a_folder_in_use_is_refused_with_the_holder_named(tmp_path: Path) -> None:
    with hold(tmp_path) as unclean:
        assert not unclean
        with (
            pytest.raises(OperatorError, match=rf"in use by another fechatter \(process {os.getpid()}\)"),
            attach(tmp_path),
        ):
            pass


def test_the_end_of_a_killed_holder_shows(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4711\n")
    with hold(tmp_path) as unclean:
        assert unclean
    with hold(tmp_path) as unclean:
        assert not unclean


def test_another_major_version_is_refused_in_one_line(tmp_path: Path) -> None:
    with attach(tmp_path):
        pass
    version = tmp_path / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    with (
        pytest.raises(OperatorError, match="holds the data of PostgreSQL 17, this release brings PostgreSQL 18"),
        attach(tmp_path),
    ):
        pass


def test_a_folder_with_a_long_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20) / "数据"
    assert len(str(folder)) > SOCKET_PATH_MAX
    folder.mkdir(parents=True)
    with attach(folder) as url:
        assert f"port={PORT}" in url
        assert ask(url, "SELECT 1") == 1
