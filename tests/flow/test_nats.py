"""Several servers with NATS between them, under every fault that NATS has: nothing is lost, doubled or out of order.

Two fechatter_server and two notify_server, the second of each with another way to PostgreSQL and to NATS; posts through
any of them reach streams on any.
"""

import asyncio
import os
import random
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.flow.checker.account import Account
from tests.flow.checker.run import Run
from tests.flow.faults import nats
from tests.flow.faults.scene import Scene
from tests.flow.faults.weather import NATS, Weather
from tests.support.cluster import Cluster, Messaging

READERS = 8
POSTS, PACE = 200, 150.0
SCALE = 0.1
SWITCHES = int(os.environ.get("FECHATTER_TEST_SWITCHES", "3"))
"""Of five processes each."""
IN_SHORT = ["nats is killed", "the store of NATS is wiped"]


@pytest.mark.parametrize(("messaging", "faults"), [("nats", list(NATS)), ("both", IN_SHORT)])
async def test_a_nats_server_may_die_be_wiped_or_be_cut_off(
    messaging: Messaging, faults: list[str], tmp_path: Path, dice: random.Random
) -> None:
    async with Cluster.open(tmp_path / "cluster", messaging) as cluster:
        await _stand(cluster, dice, faults)


async def test_a_nats_cluster_may_lose_any_of_its_servers_and_its_leader(tmp_path: Path, dice: random.Random) -> None:
    async with Cluster.open(tmp_path / "cluster", "nats", nats_servers=3) as cluster:
        await _stand(cluster, dice, [*nats.OF_A_CLUSTER, "NATS is swallowed"])


async def test_what_carries_events_is_changed_while_they_flow(tmp_path: Path, dice: random.Random) -> None:
    async with (
        Cluster.open(tmp_path / "cluster", "both") as cluster,
        Run.open(cluster.api_urls, cluster.notify_urls, cluster.database_url, dice, READERS) as run,
    ):
        scene = Scene(cluster, run.access, dice, SCALE, run.bystander)

        async def strike(_written: asyncio.Event) -> None:
            for enabled in islice(cycle(nats.ROUND), 1, SWITCHES + 1):
                await nats.switch_over(scene, enabled)

        _hold(await run.work(POSTS, PACE, strike))


async def _stand(cluster: Cluster, dice: random.Random, faults: list[str]) -> None:
    async with Run.open(cluster.api_urls, cluster.notify_urls, cluster.database_url, dice, READERS) as run:
        weather = Weather(Scene(cluster, run.access, dice, SCALE, run.bystander), faults)

        async def strike(_written: asyncio.Event) -> None:
            await weather.once_each()
            await cluster.restore()

        account = await run.work(POSTS, PACE, strike)
    assert set(weather.struck) == set(faults), f"did not strike: {set(faults) - set(weather.struck)}"
    _hold(account)


def _hold(account: Account) -> None:
    print(account)  # noqa: T201 - shown when the test fails
    assert account.posts >= POSTS
    assert account.deliveries > account.posts
