"""What faults work on, and what they leave behind."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from tests.flow.checker.access import Access
from tests.support.cluster import Cluster


class Scene:
    """One running cluster under test.

    scale     how long faults last: 1 for a soak, less for a quick test
    resting   pauses between faults end early when it is set
    bystander a user whom nothing else locks: for transactions that are left open
    """

    def __init__(self, cluster: Cluster, access: Access, dice: random.Random, scale: float, bystander: int) -> None:
        self.cluster, self.access, self.dice, self.scale = cluster, access, dice, scale
        self.bystander = bystander

    async def lasts(self, least_s: float, most_s: float) -> None:
        """For as long as the dice say."""
        await asyncio.sleep(self.dice.uniform(least_s, most_s) * self.scale)

    @asynccontextmanager
    async def database(self) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
        """A connection of the test's own, past the proxy."""
        connection = await asyncpg.connect(self.cluster.database_url, timeout=30, command_timeout=60)
        try:
            yield connection
        finally:
            connection.terminate()


Fault = Callable[[Scene], Awaitable[None]]
"""Strikes, and returns once what it did has been undone."""
