"""What can happen to NATS servers, and the way between the ways: what carries events is changed while they flow."""

import asyncio
from contextlib import suppress

import nats.errors
from nats.aio.client import Client

from fechatter.bus import jetstream
from tests.flow.faults.scene import Fault, Scene
from tests.support.parts import Part

DRAIN_PATIENCE_S = 60.0
ROUND = ("both", "true", "both", "false")
"""There and back."""


async def wipe_the_store(scene: Scene) -> None:
    """All servers die and come back with nothing."""
    for part in servers(scene):
        part.kill()
    assert scene.cluster.nats
    for node in scene.cluster.nats.nodes:
        node.wipe()
    await scene.lasts(0, 2)
    for part in servers(scene):
        part.start()


async def delete_the_stream(scene: Scene) -> None:
    assert scene.cluster.nats
    client = Client()
    with suppress(nats.errors.Error, OSError, TimeoutError):
        await client.connect(scene.cluster.nats.admin_url, allow_reconnect=False, tls=scene.cluster.nats.trust)
        await client.jsm().delete_stream(jetstream.NAME)  # pyright: ignore[reportUnknownMemberType]
    await client.close()
    await scene.lasts(1, 5)


async def cut_nats(scene: Scene) -> None:
    """Resets of the connections of machine 2, several in a row."""
    for _ in range(3):
        for proxy in scene.cluster.to_nats:
            proxy.cut()
        await scene.lasts(0.5, 3)


async def swallow_nats(scene: Scene) -> None:
    """Machine 2 is cut off from NATS without a word."""
    for proxy in scene.cluster.to_nats:
        proxy.swallow()
    await scene.lasts(20, 60)
    for proxy in scene.cluster.to_nats:
        proxy.heal()


async def kill_one(scene: Scene) -> None:
    await _killed(scene, scene.dice.choice(servers(scene)))


async def kill_the_leader(scene: Scene) -> None:
    """Of the stream: the others choose another one."""
    await _killed(scene, scene.cluster.parts[f"nats {(await _leader(scene)).removeprefix('n')}"])


async def stop_the_leader(scene: Scene) -> None:
    part = scene.cluster.parts[f"nats {(await _leader(scene)).removeprefix('n')}"]
    part.pause()
    await scene.lasts(10, 40)
    part.go_on()


async def wipe_one(scene: Scene) -> None:
    """It comes back with nothing, and gets it from the others."""
    number = scene.dice.randrange(len(servers(scene)))
    part = servers(scene)[number]
    part.kill()
    assert scene.cluster.nats
    scene.cluster.nats.nodes[number].wipe()
    await scene.lasts(1, 10)
    part.start()


async def kill_all(scene: Scene) -> None:
    for part in servers(scene):
        part.kill()
    await scene.lasts(1, 10)
    for part in servers(scene):
        part.start()


async def switch_over(scene: Scene, enabled: str) -> None:
    """Change what carries events, machine by machine, so that each way is mixed with the other for a while."""
    parts = [part for name, part in scene.cluster.parts.items() if not name.startswith("nats")]
    machines = [[part for part in parts if part.name.endswith("2")], [part for part in parts if "2" not in part.name]]
    scene.dice.shuffle(machines)
    for machine in machines:
        await asyncio.gather(*(_restart_with(part, enabled) for part in machine))


async def _restart_with(part: Part, enabled: str) -> None:
    part.environment["FECHATTER_MESSAGING__ENABLED"] = enabled
    await part.drain(DRAIN_PATIENCE_S)
    part.start()
    await part.ready()


def servers(scene: Scene) -> list[Part]:
    return [part for name, part in scene.cluster.parts.items() if name.startswith("nats")]


async def _killed(scene: Scene, part: Part) -> None:
    part.kill()
    await scene.lasts(1, 10)
    part.start()


async def _leader(scene: Scene) -> str:
    """Ask until there is one."""
    assert scene.cluster.nats
    for _ in range(600):
        client = Client()
        try:
            async with asyncio.timeout(2):
                await client.connect(scene.cluster.nats.admin_url, allow_reconnect=False, tls=scene.cluster.nats.trust)
                found = await client.jsm().stream_info(jetstream.NAME)  # pyright: ignore[reportUnknownMemberType]
                if found.cluster is not None and found.cluster.leader:
                    return found.cluster.leader
        except (nats.errors.Error, OSError, TimeoutError):
            pass
        finally:
            await client.close()
        await asyncio.sleep(0.1)
    raise AssertionError("the NATS cluster finds no leader")


ALL: dict[str, Fault] = {
    "the store of NATS is wiped": wipe_the_store,
    "the stream is deleted": delete_the_stream,
    "NATS is cut": cut_nats,
    "NATS is swallowed": swallow_nats,
}
OF_A_CLUSTER: dict[str, Fault] = {
    "one NATS server is killed": kill_one,
    "the leader is killed": kill_the_leader,
    "the leader stands still": stop_the_leader,
    "the store of one NATS server is wiped": wipe_one,
    "all NATS servers are killed": kill_all,
}
