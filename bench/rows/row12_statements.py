"""Row 12: database statements that one request runs: a post, a page of a history, a list of chats.

The app runs in this process, on a PostgreSQL of its own; each statement of its connections is counted, once the caches
are warm. What is asked on the server's own account, and what asyncpg asks about types, does not count.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bench.figures import Case, Plan, Row
from bench.stage import say
from tests.support.database import DatabaseServer
from tests.support.world import World, counted, lasting


def measure(plan: Plan) -> Iterator[Case]:
    with tempfile.TemporaryDirectory(prefix="fechatter-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with DatabaseServer.start(folder / "postgres") as server:
            yield from asyncio.run(_measure(server, folder, plan))


async def _measure(server: DatabaseServer, folder: Path, plan: Plan) -> list[Case]:
    async with lasting(server, folder) as world:
        requests = await _requests(world)
        cases = [_case(name) for name in requests]
        for _ in range(plan.rounds):
            for case, request in zip(cases, requests.values(), strict=True):
                with counted() as seen:
                    await request()
                case.add(len(seen))
        for case in cases:
            say(f"{case.name}: {case.value[0]:.0f}")
        return cases


async def _requests(world: World) -> dict[str, Callable[[], Awaitable[object]]]:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "statements", [bob, cem])
    requests: dict[str, Callable[[], Awaitable[object]]] = {
        "a post": lambda: ada.post(chat, "hello @bob"),
        "a page of a history": lambda: ada.history(chat),
        "a list of chats": lambda: ada.chats(),
    }
    for request in requests.values():
        await request()
    return requests


def _case(name: str) -> Case:
    return Case(row=12, name=name, against="", unit="statements", better="less", kind="figure", good=2, goal=1)


ROW = Row(12, "Statements of a request", measure)
