"""Tell a person what a script does, and how long it took.

step(title)     print the title now, and the time when it is done; StepFailed passes through
run(command)    run a program quietly; its last lines come out only when it fails
"""

import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SHOWN_LINES = 25


class StepFailed(Exception):
    """A sentence that says what to do."""


@contextmanager
def step(title: str) -> Generator[None]:
    started = time.monotonic()
    print(f"· {title} …", end="", flush=True)
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def run(
    command: Sequence[str | Path], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Raises StepFailed with the end of the program's output."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as problem:
        raise StepFailed(f"{words[0]} cannot be run: {problem.strerror}") from problem
    if done.returncode != 0:
        tail = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-SHOWN_LINES:])
        raise StepFailed(f"'{' '.join(words[:4])} …' failed with exit code {done.returncode}:\n{tail}")


def stop(problem: StepFailed) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{problem}\n")
    sys.exit(1)
