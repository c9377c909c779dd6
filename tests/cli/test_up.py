"""`fechatter up`: ready in one line, mended when a part dies, gone without a trace, clear when it cannot."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fechatter.cli.supervisor import PERMANENT
from fechatter.store.database import Database
from tests.support.database import DatabaseServer
from tests.support.ports import free_port
from tests.support.stack import ROOT, Stack, answers_ready
from tests.support.waiting import run_apart, wait_until

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def run_command(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder of its own, until it ends."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("FECHATTER_", "DATABASE_URL"))}
    own = {
        "PYTHONPATH": str(ROOT),
        "FECHATTER_DATA_DIR": str(folder / "data"),
        "FECHATTER_SERVER__PORT": str(free_port()),
        "FECHATTER_NOTIFY__PORT": str(free_port()),
    }
    return subprocess.run(
        [sys.executable, "-m", "fechatter", *words],
        cwd=folder,
        env=clean | own | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said: one line on stderr, nothing else."""
    assert done.returncode != 0
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line


async def _value(url: str, statement: str) -> object:
    database = await Database.open(url, 1)
    try:
        return await database.fetch_value(statement)
    finally:
        await database.close()


def value(url: str, statement: str) -> object:
    return run_apart(lambda: _value(url, statement))


def test_it_says_where_to_go_and_stops_without_a_trace(stack: Stack) -> None:
    wait_until(lambda: f"Fechatter is ready: {stack.api_url}\n" in stack.output(), "it says so")
    assert stack.stop() == 0
    assert not answers_ready(stack.api_url)
    assert not answers_ready(stack.notify_url)


@pytest.mark.parametrize("part", ["fechatter_server", "notify_server", "PostgreSQL"])
def test_a_part_that_is_killed_comes_back(stack: Stack, part: str) -> None:
    killed = stack.kill(part)
    assert wait_until(lambda: stack.pid(part) != killed, f"{part} is another process")
    stack.wait_ready()
    assert f"{part} was ended by SIGKILL: starting it again" in stack.output()


def test_a_part_that_is_told_to_end_by_someone_else_comes_back(stack: Stack) -> None:
    pid = stack.pid("notify_server")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: "notify_server ended with exit code" in stack.output(), "its end is told")
    assert stack.pid("notify_server") != pid
    stack.wait_ready()


def test_what_was_stored_survives_everything_being_killed_at_once(stack: Stack) -> None:
    value(stack.database_url, "CREATE TABLE kept AS SELECT 42 AS value")
    stack.kill_everything()
    stack.restart()
    assert value(stack.database_url, "SELECT value FROM kept") == 42


def test_no_process_outlives_a_killed_supervisor_and_the_next_start_works(stack: Stack) -> None:
    family = stack.family()
    stack.kill_supervisor()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "the family is gone")
    stack.restart()


def test_a_start_right_after_a_killed_supervisor_waits_for_its_remains(stack: Stack) -> None:
    stack.kill_supervisor()
    stack.restart()
    assert "taken" not in stack.output()


def test_a_second_one_on_the_same_folder_is_refused(stack: Stack) -> None:
    line = only_line(
        run_command(stack.folder, "up", FECHATTER_DATA_DIR=str(stack.data_dir), FECHATTER_LOG__LEVEL="error")
    )
    assert f"in use by another fechatter (process {stack.process.pid})" in line


def test_the_doctor_and_migrate_work_beside_a_running_one(stack: Stack) -> None:
    assert stack.command("migrate").stdout == "nothing to do\n"
    told = stack.command("doctor").stdout
    assert f"ready at {stack.api_url}" in told
    assert f"ready at {stack.notify_url}" in told
    assert "up to date" in told


@pytest.mark.parametrize(
    ("variable", "service"),
    [("FECHATTER_SERVER__PORT", "fechatter_server"), ("FECHATTER_NOTIFY__PORT", "notify_server")],
)
def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path, variable: str, service: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = only_line(run_command(tmp_path, "up", **{variable: str(port)}))
    assert f"Port {port} on 127.0.0.1, which {service} needs, is taken" in line
    assert line.endswith(f"or choose another port with {variable}.")
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize("role", ["server", "notify"])
def test_a_service_alone_says_that_its_port_is_taken_and_that_the_same_start_would_fail_again(
    tmp_path: Path, role: str, postgres: DatabaseServer
) -> None:
    variable = f"FECHATTER_{role.upper()}__PORT"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command(tmp_path, role, DATABASE_URL=postgres.clone(), **{variable: str(port)})
    assert f"Port {port} on 127.0.0.1" in only_line(done)
    assert done.returncode == PERMANENT


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    line = only_line(run_command(tmp_path, "up", FECHATTER_DATA_DIR="/proc/fechatter"))
    assert line.startswith("fechatter: the folder /proc/fechatter cannot be written")


@pytest.mark.parametrize("command", ["up", "server", "notify", "migrate"])
def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path, command: str) -> None:
    line = only_line(run_command(tmp_path, command, DATABASE_URL=NOWHERE))
    assert line.startswith("fechatter: Cannot reach the database at 127.0.0.1:1/nothing")


@pytest.mark.parametrize("command", ["up", "server", "notify", "migrate"])
def test_a_database_of_a_newer_release_is_told(tmp_path: Path, command: str, postgres: DatabaseServer) -> None:
    url = postgres.clone()
    value(url, "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', '') RETURNING 1")
    line = only_line(run_command(tmp_path, command, DATABASE_URL=url))
    assert "The database has the schema of a newer release (migration 9999_later.sql)" in line


def test_a_service_does_not_start_on_an_old_schema(tmp_path: Path, empty_database_url: str) -> None:
    line = only_line(run_command(tmp_path, "server", DATABASE_URL=empty_database_url))
    assert "run 'fechatter migrate' first" in line


def test_a_service_alone_wants_a_database(tmp_path: Path) -> None:
    assert "No database: set DATABASE_URL" in only_line(run_command(tmp_path, "server"))


def test_a_mistake_in_the_settings_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("server:\n  prot: 1\n")
    line = only_line(run_command(tmp_path, "up"))
    assert line == "fechatter: app.yaml, line 2: server.prot is not a setting; did you mean server.port?"


def test_the_doctor_finds_what_is_wrong_and_makes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_command(tmp_path, "doctor", FECHATTER_SERVER__PORT=port)
    assert done.returncode == 1
    assert f"Port {port}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_new_epoch_replaces_the_old_one(tmp_path: Path, database_url: str) -> None:
    before = value(database_url, "SELECT epoch FROM database_identity")
    done = run_command(tmp_path, "doctor", "--new-epoch", DATABASE_URL=database_url)
    assert done.returncode == 0
    assert value(database_url, "SELECT epoch FROM database_identity") != before


@pytest.mark.parametrize("command", [(), ("up",), ("server",), ("notify",), ("migrate",), ("doctor",)])
def test_help_tells_every_option_its_variable_and_default(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run_command(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert not command or "FECHATTER_DATA_DIR" in done.stdout
