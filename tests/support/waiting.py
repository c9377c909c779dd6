"""Tests wait for what they expect, never for a time.

wait_until(…)    in a thread
eventually(…)    in a coroutine
run_apart(…)     a coroutine, from anywhere
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 30.0
POLL_S = 0.02


def wait_until(condition: Callable[[], T | None], what: str, patience_s: float = PATIENCE_S) -> T:
    """The first true value of `condition`. AssertionError, with `what`, if it does not come."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {patience_s:.0f} s in vain: {what}"
        time.sleep(POLL_S)
    return value


async def eventually(condition: Callable[[], Awaitable[T | None]], what: str, patience_s: float = PATIENCE_S) -> T:
    """The first true value that `condition` gives. AssertionError, with `what`, if it does not come."""
    deadline = time.monotonic() + patience_s
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"waited {patience_s:.0f} s in vain: {what}"
        await asyncio.sleep(POLL_S)
    return value


def run_apart(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine to its end in a thread with an event loop of its own, wherever the caller is."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
