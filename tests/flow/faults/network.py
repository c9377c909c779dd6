"""Connections that break, hang, slow down, or die without a word."""

from tests.flow.faults.scene import Fault, Scene


async def cut_clients(scene: Scene) -> None:
    """Resets, several in a row."""
    for _ in range(3):
        for proxy in scene.cluster.proxies:
            proxy.cut(one_in=scene.dice.choice((1, 2)))
        await scene.lasts(0.1, 1)


async def half_close_clients(scene: Scene) -> None:
    for proxy in scene.cluster.proxies:
        proxy.half_close()
    await scene.lasts(0.5, 2)


async def delay_clients(scene: Scene) -> None:
    for proxy in scene.cluster.proxies:
        proxy.slow(scene.dice.uniform(0.02, 0.3))
    await scene.lasts(2, 8)
    heal_clients(scene)


async def trickle_to_clients(scene: Scene) -> None:
    """512 bytes at a time: frames come in pieces, and slow readers are told so."""
    for proxy in scene.cluster.proxies:
        proxy.slow(0.01, trickles=True)
    await scene.lasts(2, 8)
    heal_clients(scene)


async def swallow_clients(scene: Scene) -> None:
    """Black hole: only silence tells that the other side is gone."""
    for proxy in scene.cluster.proxies:
        proxy.swallow()
    await scene.lasts(3, 15)
    heal_clients(scene)


def heal_clients(scene: Scene) -> None:
    for proxy in scene.cluster.proxies:
        proxy.heal()


async def cut_database(scene: Scene) -> None:
    for _ in range(3):
        scene.cluster.database.cut()
        await scene.lasts(0.2, 1.5)


async def delay_database(scene: Scene) -> None:
    scene.cluster.database.slow(scene.dice.uniform(0.01, 0.1))
    await scene.lasts(2, 8)
    scene.cluster.database.heal()


async def swallow_database(scene: Scene) -> None:
    """Also the listening connection dies without a word."""
    scene.cluster.database.swallow()
    await scene.lasts(5, 20)
    scene.cluster.database.heal()


ALL: dict[str, Fault] = {
    "clients are cut": cut_clients,
    "clients are half closed": half_close_clients,
    "clients are delayed": delay_clients,
    "clients get a trickle": trickle_to_clients,
    "clients are swallowed": swallow_clients,
    "database is cut": cut_database,
    "database is delayed": delay_database,
    "database is swallowed": swallow_database,
}
