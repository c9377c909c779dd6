"""Processes die at any moment; what was answered is never lost, and everyone hears it once and in order.

The dice are seeded: a failure prints the seed, and FECHATTER_TEST_SEED=… throws the same again.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.clients.api import Api, Person
from tests.clients.shapes import Chat
from tests.flow.checker import Ledger, Reader, Writer, verify
from tests.support.stack import PARTS, Stack
from tests.support.waiting import wait_until

POSTS = 2_000
WRITERS = 8
READERS = 3
ROUNDS = 2
"""How often each part is killed."""


class Cast:
    """Everyone in a run: all are members of all chats."""

    def __init__(
        self, people: Sequence[Person], chats: Sequence[Chat], urls: Sequence[str], dice: random.Random
    ) -> None:
        self.chats = chats
        self.ledger = Ledger()
        self.writers = [
            Writer(people[n % len(people)], chats[n % len(chats)], f"writer{n}", random.Random(dice.random()))
            for n in range(WRITERS)
        ]
        self.readers = [Reader(person, urls, random.Random(dice.random())) for person in people[:READERS]]

    async def write(self, posts: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for writer in self.writers:
                tasks.create_task(writer.write(posts // WRITERS, self.ledger))

    async def hear_all(self) -> None:
        """Until each reader has heard of each chat as much as was promised."""
        for chat in self.chats:
            count = sum(message.chat_id == chat.id for message in self.ledger.acknowledged.values())
            for reader in self.readers:
                await reader.hears(chat, count)


@pytest.fixture
def unlimited_stack(tmp_path: Path) -> Generator[Stack]:
    """A stack of the test's own, which posts as fast as it can."""
    stack = Stack.start(tmp_path / "stack", FECHATTER_LIMITS__ENABLED="false")
    yield stack
    if stack.process.poll() is None:  # the test failed
        stack.kill_everything()


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("FECHATTER_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"FECHATTER_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    return random.Random(seed)


@asynccontextmanager
async def cast_of(stack: Stack, dice: random.Random) -> AsyncGenerator[Cast]:
    async with Api(stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        invite = await ada.invite()
        people = [ada, *[await api.sign_up(name, invite=invite.code) for name in ("Bob", "Eve", "Dan")]]
        chats = [await ada.create_chat("Group", others=people[1:]) for _ in range(3)]
        yield Cast(people, chats, [stack.notify_url], dice)


async def kill_at_random(stack: Stack, ledger: Ledger, dice: random.Random) -> None:
    """Kill each part ROUNDS times, in any order, at moments that are spread over the run."""
    victims = list(PARTS) * ROUNDS
    dice.shuffle(victims)
    share = POSTS // (len(victims) + 1)
    for number, victim in enumerate(victims):
        await ledger.reaches(number * share + dice.randint(share // 4, share))
        pid = await asyncio.to_thread(stack.kill, victim)
        if dice.random() < 0.7:  # else the next one dies while this one is being started again
            await asyncio.to_thread(stack.wait_ready)
            assert stack.pid(victim) != pid


async def test_what_was_answered_survives_kills_of_every_part_and_is_heard_once_in_order(
    unlimited_stack: Stack, dice: random.Random
) -> None:
    async with cast_of(unlimited_stack, dice) as cast:
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(reader.read()) for reader in cast.readers]
            await asyncio.gather(*(reader.greeted.wait() for reader in cast.readers))
            killing = tasks.create_task(kill_at_random(unlimited_stack, cast.ledger, dice))
            await cast.write(POSTS)
            await killing
            await cast.hear_all()
            for task in reading:
                task.cancel()
        account = await verify(cast.ledger, cast.writers, cast.readers, cast.chats)
    print(account)  # noqa: T201 - shown when the test fails
    assert account.posts == POSTS
    assert unlimited_stack.stop() == 0


async def test_everything_dies_at_once_and_the_same_folder_goes_on(unlimited_stack: Stack, dice: random.Random) -> None:
    stack = unlimited_stack
    async with cast_of(stack, dice) as cast:
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(reader.read()) for reader in cast.readers]
            await asyncio.gather(*(reader.greeted.wait() for reader in cast.readers))
            writing = tasks.create_task(cast.write(400))
            await cast.ledger.reaches(dice.randint(50, 300))
            await asyncio.to_thread(stack.kill_everything)
            await asyncio.to_thread(stack.restart)
            await writing
            await cast.hear_all()
            for task in reading:
                task.cancel()
        assert (await verify(cast.ledger, cast.writers, cast.readers, cast.chats)).posts == 400
    assert stack.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_process_outlives_the_supervisor(unlimited_stack: Stack, number: signal.Signals) -> None:
    family = unlimited_stack.family()
    assert len(family) > len(PARTS)
    unlimited_stack.process.send_signal(number)
    code = unlimited_stack.process.wait(40)
    assert (code == 0) == (number != signal.SIGKILL)
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in family), f"no process is left of {family}")
