"""Services of several processes that share one port.

Place            which process of a service this one is, as its supervisor told it on the command line
services(…)      a service as one or several programs for a supervisor
run_several(…)   `fechatter server` or `fechatter notify` with more than one process: a supervisor for them alone
"""

import os
from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

from fechatter.cli import ports, supervisor
from fechatter.cli.options import Options
from fechatter.cli.supervisor import Service
from fechatter.config import Settings
from fechatter.config.tree import Notify, Server
from fechatter.siblings import Siblings

Role = Literal["server", "notify"]
NAMES: dict[Role, str] = {"server": "fechatter_server", "notify": "notify_server"}


class Place(Struct, frozen=True):
    """Process `number` of `total`, which share the memory that `descriptor` is open on."""

    number: int
    total: int
    descriptor: int

    @classmethod
    def parse(cls, text: str | None) -> "Place | None":
        """`--process 2/4/7`. Raises ValueError for what no supervisor writes."""
        return None if text is None else cls(*(int(part) for part in text.split("/")))

    def __str__(self) -> str:
        return f"{self.number}/{self.total}/{self.descriptor}"

    def siblings(self) -> Siblings:
        os.set_inheritable(self.descriptor, False)
        return Siblings.of(self.descriptor, self.number, self.total)


def services(role: Role, settings: Settings, options: Options, environment: dict[str, str]) -> list[Service]:
    """Each process is a service of its own: started, and started again, alone."""
    total = _section(role, settings).workers
    if total == 1:
        return [_service(role, settings, environment, NAMES[role], options.child(role))]
    descriptor = Siblings.memory(total)
    places = [Place(number, total, descriptor) for number in range(1, total + 1)]
    return [
        _service(
            role,
            settings,
            environment,
            f"{NAMES[role]} {place.number}",
            options.child(role, "--process", str(place)),
            place,
        )
        for place in places
    ]


def run_several(role: Role, settings: Settings, options: Options) -> None:
    """Until told to stop. Raises OperatorError."""
    section = _section(role, settings)
    ports.check_port(NAMES[role], section.host, section.port, f"FECHATTER_{role.upper()}__PORT")
    environment = options.child_environment(
        {"server.db_url": settings.server.db_url, "data_dir": str(settings.data_dir)}
    )
    supervisor.run(lambda family: family.start(*services(role, settings, options, environment)))


def is_several(role: Role, settings: Settings) -> bool:
    return _section(role, settings).workers > 1


def _section(role: Role, settings: Settings) -> Server | Notify:
    return settings.server if role == "server" else settings.notify


def _service(
    role: Role,
    settings: Settings,
    environment: dict[str, str],
    name: str,
    command: list[str],
    place: Place | None = None,
) -> Service:
    section = _section(role, settings)
    return Service(
        name=name,
        command=lambda: command,
        environment=environment,
        ready=_probe(section.host, section.port, place.number if place else None),
        inherited=() if place is None else (place.descriptor,),
    )


def _probe(host: str, port: int, process: int | None) -> Callable[[], Awaitable[bool]]:
    return lambda: ports.is_ready(host, port, process)
