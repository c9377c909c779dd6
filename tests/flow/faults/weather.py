"""Faults, one after the other and at times two at once, by the dice.

CATALOGUE   every fault by its name
Weather     lets them strike; each at least once if there is time
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from tests.flow.checker.violation import Violation
from tests.flow.faults import database, nats, network, processes
from tests.flow.faults.scene import Fault, Scene

PARTS = ("server 1", "server 2", "notify 1", "notify 2", "worker")
CATALOGUE: dict[str, Fault] = {
    **{f"{name} is killed": processes.kill(name) for name in PARTS},
    **{f"{name} stands still": processes.stop(name) for name in PARTS},
    "PostgreSQL is killed": processes.kill_postgres,
    "PostgreSQL stands still": processes.stop_postgres,
    "everything is killed": processes.kill_everything,
    "rolling restart": processes.rolling_restart,
    **network.ALL,
    **database.ALL,
}
NATS: dict[str, Fault] = {
    "nats is killed": processes.kill("nats"),
    "nats stands still": processes.stop("nats"),
    **nats.ALL,
}
HARSH = {"everything is killed", "PostgreSQL is killed", "the log is pruned", "the epoch is replaced"}
"""Not while another fault is at work: most have little to say about each other then."""
RARE = {"the log is pruned": 2, "the epoch is replaced": 2}
"""After these everybody reloads, and the account begins anew: not too often."""


class Weather:
    """`struck`: how often each fault did. `now`: what is at work. `lately`: the last ones, for the report."""

    def __init__(self, scene: Scene, names: Sequence[str]) -> None:
        self.struck: Counter[str] = Counter()
        self.now: set[str] = set()
        self.lately: deque[str] = deque(maxlen=30)
        self._scene, self._names = scene, list(names)
        self._alone = asyncio.Lock()

    async def once_each(self) -> None:
        """Every fault once, in an order of the dice."""
        names = self._names.copy()
        self._scene.dice.shuffle(names)
        for name in names:
            await self._strike(name)

    async def rage(self, stop: asyncio.Event, longest_pause_s: float) -> None:
        """Until `stop`: each once, then any. Two at a time, unless one is harsh."""
        dice = self._scene.dice
        left: list[str] = []
        running: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            if not left:
                left = [name for name in self._names if self.struck[name] < RARE.get(name, 1 << 30)]
                dice.shuffle(left)
            name = left.pop()
            if name in HARSH or len(running) >= 2:
                await _all(running)
            running = {task for task in running if not task.done()}
            task = asyncio.create_task(self._strike(name))
            running.add(task)
            if name in HARSH or dice.random() < 0.6:
                await _all(running)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), dice.uniform(0, longest_pause_s))
        await _all(running)

    async def _strike(self, name: str) -> None:
        self.now.add(name)
        self.lately.append(f"{time.monotonic():.2f} {name}")
        try:
            await CATALOGUE_ALL[name](self._scene)
            self.struck[name] += 1
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self.lately.append(f"{time.monotonic():.2f} {name} was itself struck: {error!r}")
        except AssertionError as broken:
            raise Violation(f"{name}: {broken}") from broken
        finally:
            self.now.discard(name)
            self.lately.append(f"{time.monotonic():.2f} over: {name}")


CATALOGUE_ALL = CATALOGUE | NATS | nats.OF_A_CLUSTER


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    """Until all are over; the first Violation is raised."""
    await asyncio.gather(*tasks)


def names_for(messaging: str) -> list[str]:
    return list(CATALOGUE) if messaging == "postgres" else [*CATALOGUE, *NATS]


def seeded(seed: int | None) -> tuple[random.Random, int]:
    """Dice, and the seed that throws the same again."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    return random.Random(chosen), chosen
