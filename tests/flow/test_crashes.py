"""Processes die at any moment; what was answered is never lost, and everyone hears it once and in order.

The dice are seeded: a failure prints the seed, and FECHATTER_TEST_SEED=… throws the same again.
"""

import asyncio
import random
import signal
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from tests.flow.checker.run import Run
from tests.support.stack import PARTS, Stack
from tests.support.waiting import wait_until

POSTS = 2_000
PACE = 400.0
READERS = 6
ROUNDS = 2
"""How often each part is killed."""


@pytest.fixture
def unlimited_stack(tmp_path: Path) -> Generator[Stack]:
    """A stack of the test's own, which posts as fast as it can."""
    stack = Stack.start(tmp_path / "stack", FECHATTER_LIMITS__ENABLED="false")
    yield stack
    if stack.process.poll() is None:  # the test failed
        stack.kill_everything()


async def kill_at_random(stack: Stack, run: Run, dice: random.Random) -> None:
    """Kill each part ROUNDS times, in any order, at moments that are spread over the run."""
    victims = list(PARTS) * ROUNDS
    dice.shuffle(victims)
    share = POSTS // (len(victims) + 1)
    for number, victim in enumerate(victims):
        await run.has_written(number * share + dice.randint(share // 4, share))
        pid = await asyncio.to_thread(stack.kill, victim)
        if dice.random() < 0.7:  # else the next one dies while this one is being started again
            await asyncio.to_thread(stack.wait_ready)
            assert await asyncio.to_thread(stack.pid, victim) != pid


async def test_what_was_answered_survives_kills_of_every_part_and_is_heard_once_in_order(
    unlimited_stack: Stack, dice: random.Random
) -> None:
    stack = unlimited_stack
    async with Run.open([stack.api_url], [stack.notify_url], stack.database_url, dice, READERS) as run:

        async def kill(_stop: asyncio.Event) -> None:
            await kill_at_random(stack, run, dice)

        account = await run.work(POSTS, PACE, kill)
    print(account)  # noqa: T201 - shown when the test fails
    assert account.posts >= POSTS
    assert stack.stop() == 0


async def test_everything_dies_at_once_and_the_same_folder_goes_on(unlimited_stack: Stack, dice: random.Random) -> None:
    stack = unlimited_stack
    async with Run.open([stack.api_url], [stack.notify_url], stack.database_url, dice, READERS) as run:

        async def kill(_stop: asyncio.Event) -> None:
            await run.has_written(dice.randint(50, 300))
            await asyncio.to_thread(stack.kill_everything)
            await asyncio.to_thread(stack.restart)

        assert (await run.work(480, PACE, kill)).posts >= 480
    assert stack.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_process_outlives_the_supervisor(unlimited_stack: Stack, number: signal.Signals) -> None:
    family = unlimited_stack.family()
    assert len(family) > len(PARTS)
    unlimited_stack.process.send_signal(number)
    code = unlimited_stack.process.wait(40)
    assert (code == 0) == (number != signal.SIGKILL)
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in family), f"no process is left of {family}")
