"""The stream in JetStream: servers with other settings and operators meet at it; and it may take nothing."""

# nats-py leaves some optional parameters without types.
# pyright: reportUnknownMemberType=false

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from nats.aio.client import Client
from structlog.testing import capture_logs

from deploy.nats.cluster import Cluster
from fechatter.bus import jetstream, subjects
from tests.integration.bus.line import Line, OpenLine
from tests.support.nats import cluster_of, messaging_of
from tests.support.waiting import PATIENCE_S, eventually

MIB = 1024 * 1024


class Operator:
    """Does by hand what `nats stream edit` does."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def look(self) -> dict[str, Any]:
        return await self._ask("INFO", b"")

    async def edit(self, **changes: object) -> None:
        config = await self.look() | changes
        assert changes.items() <= (await self._ask("UPDATE", json.dumps(config).encode())).items()

    async def _ask(self, what: str, payload: bytes) -> dict[str, Any]:
        answer = await self.client.request(f"$JS.API.STREAM.{what}.{jetstream.NAME}", payload, timeout=PATIENCE_S)
        return json.loads(answer.data)["config"]


@pytest_asyncio.fixture
async def operator(nats: Cluster) -> AsyncGenerator[Operator]:
    client = Client()
    await client.connect(nats.admin_url, connect_timeout=int(PATIENCE_S))
    yield Operator(client)
    await client.close()


@pytest.mark.usefixtures("patient")
async def test_servers_with_different_settings_only_let_the_stream_grow(
    nats: Cluster, line: OpenLine, operator: Operator
) -> None:
    small = replace(messaging_of(nats), max_bytes=64 * MIB, max_age_s=7200, duplicate_window_s=60)
    large = replace(messaging_of(nats), max_bytes=128 * MIB, max_age_s=3600, duplicate_window_s=120)
    for settings in (small, large, small, large):
        with capture_logs() as logged:
            async with line(settings) as ours:
                await ours.stands("ok")
    grown = await operator.look()
    assert (grown["max_bytes"], grown["max_age"] // 10**9, grown["duplicate_window"] // 10**9) == (128 * MIB, 7200, 120)
    differences = [entry["there"] for entry in logged if entry["event"] == "nats.stream_differs"]
    assert differences == ["max_age is 7200 s"], "once, and only what the last one has otherwise"


@pytest.mark.usefixtures("patient")
async def test_what_an_operator_has_set_stays(nats: Cluster, line: OpenLine, operator: Operator) -> None:
    async with line(messaging_of(nats)) as ours:
        await ours.stands("ok")
    theirs = {"max_bytes": -1, "max_age": 0, "discard": "new", "max_msgs": 500, "compression": "s2"}
    await operator.edit(**theirs, subjects=["audit.chat"])
    async with line(messaging_of(nats)) as ours:
        await ours.stands("ok")
        await ours.carries()
    now = await operator.look()
    assert theirs.items() <= now.items()
    assert now["subjects"] == ["audit.chat", subjects.ALL], "without ours nothing would be taken"


async def test_a_service_that_knows_one_server_of_three_leaves_the_copies_that_others_asked_for(
    tmp_path: Path, line: OpenLine
) -> None:
    with cluster_of(tmp_path / "cluster", 3) as cluster:
        all_three = messaging_of(cluster)
        one = replace(all_three, url=all_three.url.partition(",")[0])
        client = Client()
        await client.connect(cluster.admin_url, connect_timeout=int(PATIENCE_S))
        copies: list[int] = []
        for settings in (one, all_three, one):
            async with line(settings) as ours:
                await ours.stands("ok")
                await ours.carries()
            copies.append((await Operator(client).look())["num_replicas"])
        await client.close()
    assert copies == [1, 3, 3]


@pytest.mark.usefixtures("patient")
async def test_copies_that_the_server_cannot_keep_are_told_and_a_stream_with_fewer_is_used(
    nats: Cluster, line: OpenLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three URLs may be three names of one server."""
    monkeypatch.setattr(jetstream, "TIMEOUT_S", PATIENCE_S)  # an answer that is late would be told as a difference
    three = replace(messaging_of(nats), replicas=3)
    async with line(three) as ours:
        away = "away: it refuses the stream FECHATTER_EVENTS: replicas > 1 not supported in non-clustered mode"
        await eventually(lambda: publisher_says(ours, away), "it is told why there is no stream")
    async with line(messaging_of(nats)) as ours:
        await ours.stands("ok")
    with capture_logs() as logged:
        async with line(three) as ours:
            await ours.stands("ok")
            await ours.carries()
    (differs,) = [entry["there"] for entry in logged if entry["event"] == "nats.stream_differs"]
    assert differs.startswith("num_replicas is 1, and cannot be made larger: it refuses")


@pytest.mark.usefixtures("patient")
async def test_a_stream_that_takes_nothing_counts_as_away_steadily_until_it_takes_something(
    nats: Cluster, line: OpenLine, operator: Operator
) -> None:
    """The connection is well, and so is the stream when it is looked at; only publishing fails, as on a full disk."""
    probes = await operator.client.subscribe(subjects.NOTHING)
    with capture_logs() as logged:
        async with line(messaging_of(nats)) as ours:
            await ours.stands("ok")
            await ours.carries()
            await operator.edit(discard="new", max_msgs=1)
            ours.tell()
            full = "away: it does not take a message: maximum messages exceeded"
            await eventually(lambda: publisher_says(ours, full), "it is told that nothing is taken")
            await ours.notifies()
            ups: list[bool] = []
            watching = asyncio.create_task(watch(ours, ups))
            while probes.pending_msgs:
                await probes.next_msg()
            for _ in range(2):
                await probes.next_msg(PATIENCE_S)
            watching.cancel()
            assert ups
            assert not any(ups)
            await operator.edit(max_msgs=-1)
            await ours.stands("ok")
            await ours.carries()
    said = [entry["event"] for entry in logged if entry["event"] in ("nats.takes_nothing", "nats.takes_news")]
    assert said == ["nats.takes_news", "nats.takes_nothing", "nats.takes_news"]


async def watch(line: Line, ups: list[bool]) -> None:
    """At each turn of the loop, more or less."""
    while True:
        ups.append(line.publisher.alive)
        await asyncio.sleep(0.001)


async def publisher_says(line: Line, beginning: str) -> bool:
    return line.publisher.standing.startswith(beginning)
