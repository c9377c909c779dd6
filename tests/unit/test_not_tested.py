"""A part that cannot run here is not passed over: its tests fail, or the run's last lines name them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import meilisearch

ROOT = Path(__file__).resolve().parents[2]
FILE = """
from tests.support.not_tested import not_tested

def test_of_it(): not_tested("the flux capacitor", "there is no plutonium")
def test_of_it_too(): not_tested("the flux capacitor", "there is no plutonium")
def test_of_something_else(): pass
"""


def test_what_could_not_be_tested_is_named_with_its_tests_in_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(FILE)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.not_tested", "-p", "no:cacheprovider", tmp_path],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    end = run.stdout.partition("2 TESTS DID NOT RUN")[2]
    assert "NOT TESTED: the flux capacitor, because there is no plutonium" in end
    assert "test_some.py::test_of_it\n" in end
    assert "test_some.py::test_of_it_too\n" in end


@pytest.mark.parametrize(("runs_here", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)])
def test_without_meilisearch_its_tests_fail_where_it_is_made_for_and_are_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, runs_here: bool, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(meilisearch, "BINARY", None)
    monkeypatch.setattr(meilisearch, "RUNS_HERE", runs_here)
    with pytest.raises(outcome, match="there is no Meilisearch"):
        meilisearch.need_binary()
