"""`fechatter up`: the whole chat under one supervisor.

run(options)   PostgreSQL and NATS (where none is configured) → schema → both services and a worker → one line with the
               address
"""

import sys

from fechatter.cli import embedded_nats as nats
from fechatter.cli import ports, processes, supervisor
from fechatter.cli.embedded import STOP_STEPS, EmbeddedPostgres
from fechatter.cli.embedded_nats import EmbeddedNats
from fechatter.cli.folder import hold
from fechatter.cli.options import Options
from fechatter.cli.supervisor import Service, Supervisor
from fechatter.config import Settings
from fechatter.store.migrate import migrate

UNCLEAN_PATIENCE_S = 10.0
"""How long services of a killed `up` may take to give their ports back."""


def run(options: Options) -> None:
    """Blocks until told to stop. Raises ConfigError and OperatorError; nothing runs afterwards."""
    settings = options.start("up")
    with hold(settings.data_dir) as unclean:
        _check_ports(settings, UNCLEAN_PATIENCE_S if unclean else 0)
        supervisor.run(lambda services: _start(services, settings, options))


async def _start(services: Supervisor, settings: Settings, options: Options) -> None:
    url = settings.server.db_url or await _start_postgres(services, settings)
    await migrate(url)
    given = {"server.db_url": url, "data_dir": str(settings.data_dir)}
    if settings.messaging.enabled and not settings.messaging.url:
        given["messaging.url"] = await _start_nats(services, settings)
    environment = options.child_environment(given)
    await services.start(
        *processes.services("server", settings, options, environment),
        *processes.services("notify", settings, options, environment),
        Service(
            name="worker",
            command=lambda: options.child("worker"),
            environment=environment,
            ready=_at_once,
        ),
    )
    address = settings.server.public_url or ports.local_url(settings.server.host, settings.server.port)
    sys.stdout.write(f"{settings.name} is ready: {address}\n")
    sys.stdout.flush()


async def _at_once() -> bool:
    """Nobody waits for the worker; one that cannot start is started again and said so."""
    return True


async def _start_postgres(services: Supervisor, settings: Settings) -> str:
    server = EmbeddedPostgres(settings.data_dir)

    async def ready() -> bool:
        return server.is_ready()

    await services.start(
        Service(
            name="PostgreSQL",
            prepare=server.prepare,
            command=server.command,
            environment=server.environment,
            ready=ready,
            stop=STOP_STEPS,
            output=server.start_log,
            explain=server.why_not,
            lifeline=False,
        )
    )
    return server.url


async def _start_nats(services: Supervisor, settings: Settings) -> str:
    """The address, also of one that does not start: PostgreSQL's NOTIFY stands in until it does."""
    server = EmbeddedNats(settings.data_dir)
    await services.start(
        Service(
            name="NATS",
            prepare=server.prepare,
            command=server.command,
            environment=server.environment,
            ready=server.is_ready,
            stop=nats.STOP_STEPS,
            output=server.start_log,
            explain=lambda: nats.why_not(settings.data_dir),
            without="news go by PostgreSQL's NOTIFY meanwhile",
            lifeline=False,
        )
    )
    return server.settle()


def _check_ports(settings: Settings, patience_s: float) -> None:
    """Before anything is started, so that a taken port leaves no trace."""
    for name, section in (("server", settings.server), ("notify", settings.notify)):
        service = "fechatter_server" if name == "server" else "notify_server"
        variable = f"FECHATTER_{name.upper()}__PORT"
        ports.wait_for_port(service, section.host, section.port, variable, patience_s)
