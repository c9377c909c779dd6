"""What a database can do to those who read a log in it."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg

from fechatter.store.log.pruning import prune
from fechatter.store.migrate import new_epoch
from tests.flow.faults.scene import Fault, Scene

OPEN_S = 20.0


async def wipe_listeners(scene: Scene) -> None:
    """The server ends every connection that listens."""
    async with scene.database() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fechatter listen'"
        )


async def lose_hints(scene: Scene) -> None:
    """Nothing is notified at all: only the sweep finds events."""
    await _alter_trigger(scene, "DISABLE")
    await scene.lasts(3, 10)
    await give_hints(scene)


async def give_hints(scene: Scene) -> None:
    await _alter_trigger(scene, "ENABLE")


async def leave_open_with_events(scene: Scene) -> None:
    """A transaction writes an event, and another at its end, 20 s later: both have the xid of long ago."""
    async with scene.database() as connection, connection.transaction():
        await _append(connection, scene.bystander)
        await asyncio.sleep(OPEN_S * scene.scale)
        await _append(connection, scene.bystander)


async def leave_open_with_an_xid(scene: Scene) -> None:
    """A transaction that only holds an xid: snapshots do not get past it, events have to."""
    async with scene.database() as connection, connection.transaction():
        await connection.execute("SELECT pg_current_xact_id()")
        await asyncio.sleep(OPEN_S * scene.scale)


async def roll_back_late(scene: Scene) -> None:
    """A transaction takes positions and gives them back."""
    async with scene.database() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await _append(connection, scene.bystander)
        await scene.lasts(0.5, 5)
        await transaction.rollback()


async def prune_the_log(scene: Scene) -> None:
    """Everything that was, as after a week of sleep: who comes back with an old cursor reloads."""
    scene.access.voids_cursors()  # a notify_server that was started again has marked the log: the first one may prune
    async with scene.database() as connection:
        await prune(connection, timedelta(0), 1)  # marks where the log stands
        while await prune(connection, timedelta(0), 10_000):
            pass
    scene.access.voids_cursors()


async def replace_the_epoch(scene: Scene) -> None:
    """As after a restored backup: no cursor of before is good."""
    scene.access.voids_cursors()
    async with scene.database() as connection:
        await new_epoch(connection)
    scene.access.voids_cursors()


ALL: dict[str, Fault] = {
    "listeners are wiped": wipe_listeners,
    "hints are lost": lose_hints,
    "a transaction with events is left open": leave_open_with_events,
    "a transaction with an xid is left open": leave_open_with_an_xid,
    "a transaction is rolled back late": roll_back_late,
    "the log is pruned": prune_the_log,
    "the epoch is replaced": replace_the_epoch,
}


async def _append(connection: "asyncpg.Connection[asyncpg.Record]", user_id: int) -> None:
    """An event on the user's own stream, as actions write it."""
    pos = await connection.fetchval(
        "UPDATE users SET last_pos = last_pos + 1 WHERE id = $1 RETURNING last_pos", user_id
    )
    await connection.execute(
        "INSERT INTO events (stream, pos, type, payload) VALUES ($1, $2, 'user.updated', $3)",
        f"user:{user_id}",
        pos,
        f'{{"id": {user_id}}}',
    )


async def _alter_trigger(scene: Scene, what: str) -> None:
    """Without letting everybody wait behind a transaction that is left open."""
    while True:
        with suppress(asyncpg.LockNotAvailableError):
            async with scene.database() as connection:
                await connection.execute("SET lock_timeout = 300")
                await connection.execute(f"ALTER TABLE events {what} TRIGGER events_notify")
                return
        await asyncio.sleep(0.5)
