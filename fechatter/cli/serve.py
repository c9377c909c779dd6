"""The services, each alone in its process.

server(settings, …)   fechatter_server under uvicorn, until SIGTERM
notify(settings, …)   notify_server, until SIGTERM
worker(settings)      what nobody waits for, until SIGTERM
"""

import asyncio

from fechatter.config import Settings
from fechatter.domain.errors import OperatorError
from fechatter.listening import IDLE_S, listen
from fechatter.siblings import Siblings
from fechatter.store.database import Database
from fechatter.store.migrate import check_schema

BACKLOG = 2048
DRAIN_S = 8
"""Requests under way may take so long after SIGTERM; the supervisor waits 10 s."""


def server(settings: Settings, siblings: Siblings) -> None:
    """Raises OperatorError if the port is taken or the database is away or of another schema."""
    # Each role loads only its own program: the web framework is a third of a start.
    import uvicorn

    from fechatter.server.app import create_app
    from fechatter.server.slow_senders import TimedHttpProtocol

    _require_database(settings)
    host, port, shared = settings.server.host, settings.server.port, siblings.total > 1
    bound = listen("fechatter_server", host, port, "FECHATTER_SERVER__PORT", shared=shared)
    configuration = uvicorn.Config(
        create_app(settings, siblings),
        loop="uvloop",
        http=TimedHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    running = uvicorn.Server(configuration)
    running.run(sockets=[bound])
    if not running.started:
        raise OperatorError("fechatter_server could not start: see its log above.")


def notify(settings: Settings, siblings: Siblings) -> None:
    """Raises OperatorError if the port is taken or the database is away or of another schema."""
    import uvloop

    from fechatter.notify.app import run

    _require_database(settings)
    uvloop.run(run(settings, siblings))


def worker(settings: Settings) -> None:
    """Raises OperatorError if the database is away or of another schema."""
    from fechatter.cli.worker import run

    asyncio.run(run(settings))


def _require_database(settings: Settings) -> None:
    asyncio.run(_check_database(settings.server.db_url))


async def _check_database(url: str) -> None:
    database = await Database.open(url, 1)
    try:
        async with database.connection() as connection:
            await check_schema(connection)
    finally:
        await database.close()
