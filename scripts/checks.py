"""Run the checks, one after the other, and tell how each went: `checks.py lint | test [PYTEST ARGUMENTS]`.

All of them run, also after one has failed: one look shows everything. The last line counts tests and checks.
"""

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from node import node_environment  # noqa: E402 - the folder was not on the path before

VENV = ROOT / ".venv"
BIN = VENV / "bin"
LINT: dict[str, list[str | Path]] = {
    "format": [BIN / "ruff", "format", "--check", "."],
    "lint": [BIN / "ruff", "check", "."],
    "types": [BIN / "basedpyright"],
    "shell": ["sh", "-c", "for script in scripts/* .ci/run; do case $script in *.py) ;; *) sh -n $script;; esac; done"],
    "web format": ["npm", "run", "--silent", "format:check"],
    "web lint": ["npm", "run", "--silent", "lint"],
    "web types": ["npm", "run", "--silent", "check"],
}
WEB_TESTS: dict[str, list[str | Path]] = {"web tests": ["npm", "run", "--silent", "test"]}


def main(kind: str, *pytest_arguments: str) -> int:
    stages = dict(LINT) if kind == "lint" else LINT | WEB_TESTS
    environment = node_environment(VENV, lambda: None)
    failed = [name for name, command in stages.items() if not _passes(name, command, environment)]
    passed_count, failed_count, skipped_count = len(stages) - len(failed), len(failed), 0
    if kind == "test":
        counts = _run_tests(pytest_arguments)
        passed_count, failed_count = passed_count + counts[0], failed_count + counts[1]
        skipped_count = counts[2]
    if failed:
        print(f"Failed checks: {', '.join(failed)}")
    print(f"{passed_count} passed, {failed_count} failed" + (f", {skipped_count} skipped" if skipped_count else ""))
    return 1 if failed_count else 0


def _passes(name: str, command: list[str | Path], environment: dict[str, str]) -> bool:
    """Its output shows only when it fails."""
    started = time.monotonic()
    print(f"· {name} …", end="", flush=True)
    done = subprocess.run(
        command,
        cwd=ROOT / "web" if command[0] == "npm" else ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    print(f" {'ok' if done.returncode == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)", flush=True)
    if done.returncode != 0:
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()
    return done.returncode == 0


def _run_tests(arguments: tuple[str, ...]) -> tuple[int, int, int]:
    """Passed, failed, skipped. No test at all, or an end without a report, counts as one failure."""
    print("· tests", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [BIN / "python", "-m", "pytest", "-n", "2", "--dist", "worksteal", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
        if not report.exists():
            return 0, 1, 0
        suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314 - we have just written it
    if suite is None:
        return 0, 1, 0
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors or (1 if code else 0)
    return max(total - failures - errors - skipped, 0), failed, skipped


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
