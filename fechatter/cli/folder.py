"""The data folder belongs to one program at a time.

hold(data_dir)   a lock that dies with its holder, and whether the last holder ended without letting go
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fechatter.domain.errors import OperatorError


@contextmanager
def hold(data_dir: Path) -> Generator[bool]:
    """Hold the folder for the time of the block. Gives True after an unclean end: something may still be running.

    Raises OperatorError if another process holds it. The lock is not inherited by children.
    """
    handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        former = _lock(handle, data_dir)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield bool(former)
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _lock(handle: int, data_dir: Path) -> str:
    """The process id that the last holder left in the file: empty if it went in good order."""
    holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        raise OperatorError(
            f"The data folder {data_dir} is in use by another fechatter (process {holder}): stop that one, "
            "or choose another folder with --data-dir or FECHATTER_DATA_DIR."
        ) from problem
    return holder
