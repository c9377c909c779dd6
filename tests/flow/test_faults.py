"""Several servers under every fault there is: nothing is lost, doubled, out of order, or heard by who may not.

The short form of the soak (`make soak`): each fault strikes once, for a moment, in an order of the dice.
"""

import asyncio
import random
from pathlib import Path

import pytest

from tests.flow.checker.run import Run
from tests.flow.faults.database import give_hints
from tests.flow.faults.scene import Scene
from tests.flow.faults.weather import CATALOGUE, Weather
from tests.support.cluster import Cluster

READERS = 10
POSTS, PACE = 300, 150.0
SCALE = 0.1
"""Of how long faults last in the soak."""
OF_PROCESSES = [name for name in CATALOGUE if name.endswith(("killed", "still", "restart"))]
OF_NETWORK_AND_DATABASE = [name for name in CATALOGUE if name not in OF_PROCESSES]


@pytest.mark.parametrize("names", [OF_PROCESSES, OF_NETWORK_AND_DATABASE], ids=["processes", "network and database"])
async def test_what_was_answered_is_heard_once_and_in_order_whatever_happens(
    names: list[str], tmp_path: Path, dice: random.Random
) -> None:
    async with (
        Cluster.open(tmp_path / "cluster", clocks_differ=True) as cluster,
        Run.open(cluster.api_urls, cluster.notify_urls, cluster.database_url, dice, READERS) as run,
    ):
        scene = Scene(cluster, run.access, dice, SCALE, run.bystander)
        weather = Weather(scene, names)

        async def strike(_written: asyncio.Event) -> None:
            await weather.once_each()
            await cluster.restore()
            await give_hints(scene)

        account = await run.work(POSTS, PACE, strike)
    print(account, dict(weather.struck))  # noqa: T201 - shown when the test fails
    assert set(weather.struck) == set(names), f"did not strike: {set(names) - set(weather.struck)}"
    assert account.posts >= POSTS
    assert account.deliveries > account.posts
