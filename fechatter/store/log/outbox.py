"""What a unit of work wrote that others should hear of, kept until it has committed.

Written             one event of the log, by its place
Outbox              what one connection has written since its work began
Outlet              whoever is told after the commit; a database has one, or NOTIFY does it
CarryingConnection  a connection with an outbox
outbox_of           the outbox of a connection, if it has one

Whoever writes events notes them here with one line; actions know nothing of it. What is lost on the way costs latency:
the event log is the truth.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import asyncpg

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:  # asyncpg's class takes no parameters at run time
    _Connection = asyncpg.Connection


class Written(NamedTuple):
    """An event: its stream and position there, and the workspace whose members may hear it, if it has one."""

    stream: str
    pos: int
    workspace_id: int | None


class Outbox:
    """What one connection has written.

    events     of the log
    ephemera   encoded news that nobody keeps
    takes_ephemera   whether they need no NOTIFY
    """

    __slots__ = ("ephemera", "events", "takes_ephemera")

    def __init__(self) -> None:
        self.events: list[Written] = []
        self.ephemera: list[str] = []
        self.takes_ephemera = False

    def take(self) -> tuple[list[Written], list[str]]:
        """What is in it, which is then gone from it."""
        taken = self.events, self.ephemera
        self.events, self.ephemera = [], []
        return taken


class Outlet(Protocol):
    """Tells others what was committed. Called on the event loop; must return at once and never raise."""

    @property
    def takes_ephemera(self) -> bool:
        """Whether ephemeral news need no NOTIFY."""
        ...

    @property
    def settings(self) -> dict[str, str]:
        """What connections that write tell PostgreSQL."""
        ...

    def pass_on(self, events: list[Written], ephemera: list[str]) -> None:
        """These have been committed."""
        ...


class CarryingConnection(_Connection):
    """A connection with an outbox."""

    __slots__ = ("outbox",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outbox = Outbox()


def outbox_of(connection: object) -> Outbox | None:
    """Where to note what is written; None if nobody but PostgreSQL carries it."""
    return getattr(connection, "outbox", None)
