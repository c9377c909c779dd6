"""notify_server as a process: run(settings) serves until SIGTERM or SIGINT."""

import asyncio
import gc
import signal

from fechatter import logs
from fechatter.bus.carriers import Carriers
from fechatter.bus.interest import Interest
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.listening import listen
from fechatter.notify.gate import Gate
from fechatter.notify.http import HttpConnection
from fechatter.notify.notifier import Notifier
from fechatter.notify.sockets import tune
from fechatter.siblings import Siblings
from fechatter.store.database import Database

BACKLOG = 4096
NAME = "fechatter notify_server"
"""As NATS shows it."""

log = logs.get(__name__)


async def run(settings: Settings, siblings: Siblings) -> None:
    """Serve until SIGTERM or SIGINT, then drain: all streams are told goodbye and closed within 10 s.

    Raises OperatorError if the database is away or the port is taken.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await serve(settings, told, siblings=siblings)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    ready: asyncio.Future[int] | None = None,
    siblings: Siblings | None = None,
) -> None:
    """The same until `stop` is set; `ready` becomes the port once it listens (0 in the settings: any free one)."""
    siblings = siblings or Siblings.alone()
    publisher = NatsPublisher(settings.messaging, NAME) if settings.messaging.enabled else None
    database = await Database.open(
        settings.server.db_url, settings.database.pool_size, "fechatter notify", outlet=publisher
    )
    publishing = asyncio.create_task(publisher.run(database)) if publisher is not None else None
    try:
        gate = _gate(settings, database, siblings)
        notifier = Notifier(settings, database, gate, Carriers.of(settings, Interest(), NAME), siblings)
        server = await _listen(settings, notifier, shared=siblings.total > 1)
        if ready is not None:
            ready.set_result(server.sockets[0].getsockname()[1])
        log.info("notify.started", host=settings.notify.host, port=settings.notify.port)
        _spare_the_collector()
        await _run_until(stop, notifier, server)
    finally:
        if publishing is not None:
            publishing.cancel()
            await asyncio.wait([publishing], timeout=2)
        await database.close()


async def _run_until(stop: asyncio.Event, notifier: Notifier, server: asyncio.Server) -> None:
    running = asyncio.create_task(notifier.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    log.info("notify.draining")
    server.close()
    await notifier.drain()
    stopping.cancel()
    running.cancel()
    (outcome,) = await asyncio.gather(running, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome


def _spare_the_collector() -> None:
    """Streams live long and are freed by counting references: looking for cycles among them is time lost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _gate(settings: Settings, database: Database, siblings: Siblings) -> Gate:
    tokens = Tokens(settings.auth.signing_key.encode(), settings.auth.issuer, settings.auth.token_ttl_s)
    return Gate(tokens, database, settings.limits, siblings)


async def _listen(settings: Settings, notifier: Notifier, *, shared: bool) -> asyncio.Server:
    host, port = settings.notify.host, settings.notify.port
    bound = listen("notify_server", host, port, "FECHATTER_NOTIFY__PORT", shared=shared)
    tune(bound)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: HttpConnection(notifier), sock=bound, backlog=BACKLOG)
