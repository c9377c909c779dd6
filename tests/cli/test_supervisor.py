"""The supervisor, over small programs: what ends is started again, and nothing stays when it goes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.stack import ROOT, is_gone
from tests.support.waiting import PATIENCE_S, wait_until


class Supervised:
    """One supervisor process over services of the given kinds."""

    def __init__(self, folder: Path, kinds: tuple[str, ...], patience_s: float) -> None:
        self.folder = folder
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.supervised", str(folder), str(patience_s), *kinds],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self, text: str) -> None:
        wait_until(lambda: text in self.output(), f"it says {text!r}: {self.output()}")

    def is_ready(self) -> None:
        """By its own line: that something is not ready yet is told as well."""
        wait_until(lambda: "ready" in self.output().splitlines(), f"all are ready: {self.output()}")

    def output(self) -> str:
        return self.log.read_text()

    def pid(self, kind: str, after: int | None = None) -> int:
        """Of the service, once it is ready; with `after`, of the next one."""

        def find() -> int | None:
            text = ""
            with suppress(FileNotFoundError):  # it goes when the service is started again, at any moment
                text = (self.folder / f"{kind}.pid").read_text()
            return int(text) if text and int(text) != after else None

        return wait_until(find, f"{kind} is ready: {self.output()}")

    def wait(self) -> int:
        return self.process.wait(2 * PATIENCE_S)


Run = Callable[..., Supervised]


@pytest.fixture(name="run")
def fixture_run(tmp_path: Path) -> Generator[Run]:
    started: list[Supervised] = []

    def run(*kinds: str, patience_s: float = PATIENCE_S) -> Supervised:
        started.append(Supervised(tmp_path, kinds, patience_s))
        return started[-1]

    yield run
    for supervised in started:
        supervised.process.kill()
        supervised.process.wait()


def left_in(folder: Path) -> list[int]:
    """The services of a supervisor that still run."""
    return [one.pid for one in psutil.process_iter(["cmdline"]) if str(folder) in (one.info["cmdline"] or [])]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_service_that_is_ended_from_outside_is_started_again_and_that_is_said(run: Run, number: int) -> None:
    supervised = run("steady")
    supervised.is_ready()
    pid = supervised.pid("steady")
    os.kill(pid, number)
    assert supervised.pid("steady", after=pid) != pid
    end = "was ended by SIGKILL" if number == signal.SIGKILL else "ended with exit code 0"
    supervised.said(f"steady {end}: starting it again in 0.2 s")
    supervised.said("steady is ready again")


def test_a_service_that_was_ready_is_started_again_also_after_a_permanent_failure(run: Run) -> None:
    supervised = run("changed")
    supervised.is_ready()
    pid = supervised.pid("changed")
    os.kill(pid, signal.SIGKILL)
    supervised.said("changed ended with exit code 78: starting it again in 0.")
    assert supervised.pid("changed", after=pid) != pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_drains_every_service_and_the_supervisor_ends_well(
    run: Run, number: signal.Signals, tmp_path: Path
) -> None:
    supervised = run("steady")
    supervised.is_ready()
    supervised.process.send_signal(number)
    assert supervised.wait() == 0
    assert (tmp_path / "steady.drained").exists()
    assert is_gone(supervised.pid("steady"))


def test_a_service_that_does_not_listen_is_killed_when_patience_ends(run: Run) -> None:
    supervised = run("stubborn", "steady", patience_s=0.2)
    supervised.is_ready()
    supervised.process.terminate()
    assert supervised.wait() == 0
    assert is_gone(supervised.pid("stubborn"))


def test_a_second_signal_ends_the_patience(run: Run) -> None:
    supervised = run("stubborn", patience_s=3600)
    supervised.is_ready()
    supervised.process.terminate()
    supervised.said("stopping")
    supervised.process.terminate()
    assert supervised.wait() == 0
    assert is_gone(supervised.pid("stubborn"))


def test_no_service_outlives_a_killed_supervisor(run: Run) -> None:
    supervised = run("steady", "stubborn")
    supervised.is_ready()
    pids = [supervised.pid("steady"), supervised.pid("stubborn")]
    supervised.process.kill()
    wait_until(lambda: all(map(is_gone, pids)), f"{pids} are gone")


def test_a_permanent_failure_at_the_first_start_ends_everything_with_its_own_words(run: Run) -> None:
    supervised = run("steady", "misset")
    assert supervised.wait() != 0
    assert supervised.output().count("the setting is wrong") == 1
    assert "starting it again" not in supervised.output()


def test_a_service_that_never_gets_ready_is_given_up(run: Run, tmp_path: Path) -> None:
    supervised = run("steady", "hopeless")
    assert supervised.wait() != 0
    assert "stopped: hopeless ended with exit code 1, 5 times, before it was ready" in supervised.output()
    assert len((tmp_path / "hopeless.starts").read_text().splitlines()) == 5
    assert not left_in(tmp_path)


@pytest.mark.parametrize(("kind", "why"), [("spare", "ended with exit code 1"), ("absent", "it is not installed")])
def test_what_others_can_do_without_stops_nothing_says_so_once_and_comes_by_itself(
    run: Run, tmp_path: Path, kind: str, why: str
) -> None:
    supervised = run("steady", kind)
    supervised.is_ready()
    starts = tmp_path / f"{kind}.starts"
    wait_until(lambda: len(starts.read_text().splitlines()) >= 4, f"{kind} is tried again: {supervised.output()}")
    assert supervised.output().count("the others do without") == 1
    assert why in supervised.output()
    (tmp_path / f"{kind}.mended").touch()
    pid = supervised.pid(kind)
    supervised.said(f"{kind} is ready again")
    supervised.process.terminate()
    assert supervised.wait() == 0
    assert is_gone(pid)


def test_stopping_during_the_first_start_leaves_nothing(run: Run, tmp_path: Path) -> None:
    supervised = run("steady", "slow")
    supervised.pid("steady")
    wait_until((tmp_path / "slow.starts").exists, "the slow one is being started")
    supervised.process.terminate()
    assert supervised.wait() == 0
    assert "ready" not in supervised.output().splitlines()
    assert not left_in(tmp_path)
