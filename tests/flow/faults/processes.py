"""Processes that die, stand still, or are told to go."""

import asyncio

from tests.flow.checker.violation import hold
from tests.flow.faults.scene import Fault, Scene

DRAIN_S = 10.0
SLACK_S = 8.0
"""A process that has closed everything may take so long to end on a machine that is busy with this test."""


def kill(name: str) -> Fault:
    """kill -9; started again a moment later."""

    async def strike(scene: Scene) -> None:
        part = scene.cluster.parts[name]
        part.kill()
        await scene.lasts(0, 2)
        part.start()
        await part.ready()

    return strike


async def kill_postgres(scene: Scene) -> None:
    scene.cluster.postgres.kill()
    await scene.lasts(0, 2)
    await scene.cluster.restart_postgres()


async def kill_everything(scene: Scene) -> None:
    """All at the same moment, as when the power fails."""
    cluster = scene.cluster
    cluster.postgres.kill()
    for part in cluster.parts.values():
        part.kill()
    await scene.lasts(0, 1)
    await cluster.restart_postgres()
    await cluster.restore()


def stop(name: str) -> Fault:
    """SIGSTOP: it is there and does nothing, its sockets stay open."""

    async def strike(scene: Scene) -> None:
        part = scene.cluster.parts[name]
        part.pause()
        await scene.lasts(1, 30)
        part.go_on()

    return strike


async def stop_postgres(scene: Scene) -> None:
    scene.cluster.postgres.pause()
    await scene.lasts(1, 20)
    scene.cluster.postgres.go_on()


async def rolling_restart(scene: Scene) -> None:
    """Each service in turn, as an upgrade does it: told to go, gone in time, and back before the next one goes."""
    for part in scene.cluster.parts.values():
        if part.name.startswith("nats"):
            continue
        took_s = await part.drain(DRAIN_S + SLACK_S + 30)
        hold(took_s < DRAIN_S + SLACK_S, f"{part.name} took {took_s:.1f} s to end")
        part.start()
        await part.ready()
        await asyncio.sleep(0.1)
