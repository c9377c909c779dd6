"""Fechatter as it runs on several machines: PostgreSQL, two fechatter_server, some notify_server and a worker, each a
process of its own on a port of its own, with proxies before the notify servers and before one machine's database.

Cluster.open(folder, …)   all ready
Cluster.api_urls, .notify_urls, .database_url
Cluster.parts             by name: "server 1", "notify 1", "worker", "nats" …
Cluster.restore           whatever was done to it, all is ready again
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from deploy.nats.cluster import Cluster as NatsServers
from fechatter.cli.embedded_nats import program
from fechatter.config.secrets import make_data_folder
from fechatter.store.migrate import migrate
from tests.support.parts import Part, Postgres
from tests.support.ports import free_port
from tests.support.proxy import Proxy, to_port, to_socket
from tests.support.stack import ROOT, clean_environment

CLOCK = ROOT / "tests" / "support" / "clock"
HEARTBEAT_S = 2.0
HOUR_S = 3600

Messaging = Literal["postgres", "both", "nats"]
ENABLED = {"postgres": "false", "both": "both", "nats": "true"}


class Cluster:
    """The machines, as far as a test can tell them apart: number 2 reaches its database through a proxy.

    parts      by name
    proxies    before the notify servers, in their order
    database   the proxy before the database of server 2 and notify 2
    nats       the NATS servers there are; their processes are parts
    to_nats    the proxies through which server 2 and notify 2 reach them
    """

    def __init__(
        self, folder: Path, messaging: Messaging, notify_servers: int, workers: int, nats_servers: int
    ) -> None:
        self.folder, self.messaging = folder, messaging
        self.postgres = Postgres(folder / "data")
        self.parts: dict[str, Part] = {}
        self.proxies: list[Proxy] = []
        self.database: Proxy
        self._notify_servers, self._workers = notify_servers, workers
        self.nats = None if messaging == "postgres" else NatsServers(folder / "nats", nats_servers, a_port=free_port)
        self.to_nats: list[Proxy] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        messaging: Messaging = "postgres",
        notify_servers: int = 2,
        workers: int = 1,
        *,
        nats_servers: int = 1,
        clocks_differ: bool = False,
    ) -> AsyncGenerator["Cluster"]:
        """`workers`: processes of each notify server. `clocks_differ`: server 2 is an hour ahead, notify 2 behind."""
        make_data_folder(folder / "data")
        cluster = cls(folder, messaging, notify_servers, workers, nats_servers)
        try:
            await cluster._begin(clocks_differ)
            yield cluster
        finally:
            await cluster._end()

    @property
    def database_url(self) -> str:
        """Straight, past the proxy."""
        return self.postgres.url

    @property
    def api_urls(self) -> list[str]:
        return [part.url for name, part in self.parts.items() if name.startswith("server")]

    @property
    def notify_urls(self) -> list[str]:
        """Straight and through the proxies."""
        return [part.url for part in self.notify] + [f"http://127.0.0.1:{proxy.port}" for proxy in self.proxies]

    @property
    def notify(self) -> list[Part]:
        return [part for name, part in self.parts.items() if name.startswith("notify")]

    async def restore(self) -> None:
        """Until all run and are ready, and the proxies pass everything on."""
        for proxy in (*self.proxies, *self.to_nats, self.database):
            proxy.heal()
        self.postgres.go_on()
        for part in self.parts.values():
            part.go_on()
            if not part.runs:
                part.start()
        for part in self.parts.values():
            await part.ready()

    async def restart_postgres(self) -> None:
        """After a kill."""
        await asyncio.to_thread(self.postgres.start)

    async def _begin(self, clocks_differ: bool) -> None:
        # In this thread: PostgreSQL is stopped when the thread that started it ends.
        self.postgres.start()
        await migrate(self.postgres.url)
        self.database = await Proxy.open(to_socket(self.postgres.socket))
        if self.nats is not None:
            await self._add_nats(self.nats)
        for number in (1, 2):
            self._add(f"server {number}", "server", number, HOUR_S if clocks_differ and number == 2 else 0)
        for number in range(1, self._notify_servers + 1):
            self._add(f"notify {number}", "notify", number, -HOUR_S if clocks_differ and number == 2 else 0)
        self._add("worker", "worker", 1, 0)
        for part in self.notify:
            self.proxies.append(await Proxy.open(to_port(part.port)))
        for part in self.parts.values():
            part.start()
            if part.name == "server 1":
                await part.ready()  # the first makes the signing key that all share
        await self.restore()

    def _add(self, name: str, role: str, number: int, shift_s: int) -> None:
        port = 0 if role == "worker" else free_port()
        command = [sys.executable, "-m", "fechatter", role, *(["--port", str(port)] if port else [])]
        if role == "notify" and self._workers > 1:
            command += ["--workers", str(self._workers)]
        environment = clean_environment() | {
            "PYTHONPATH": f"{ROOT}:{CLOCK}" if shift_s else str(ROOT),
            "TEST_CLOCK_SHIFT_S": str(shift_s),
            "FECHATTER_DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self._database_url(number),
            "FECHATTER_LIMITS__ENABLED": "false",
            "FECHATTER_LIMITS__STREAMS_PER_USER": "1000",
            "FECHATTER_AUTH__TOKEN_TTL_S": str(24 * HOUR_S),
            "FECHATTER_NOTIFY__HEARTBEAT_S": str(HEARTBEAT_S),
            "FECHATTER_MESSAGING__ENABLED": ENABLED[self.messaging],
            **self._way_to_nats(number),
        }
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.parts[name] = Part(name, command, environment, log, port)

    async def _add_nats(self, nats: NatsServers) -> None:
        for number, node in enumerate(nats.nodes, 1):
            name = "nats" if len(nats.nodes) == 1 else f"nats {number}"
            command = [str(program()), "-c", str(node.config)]
            self.parts[name] = Part(name, command, clean_environment(), node.folder / "nats.log", 0)
            self.to_nats.append(await Proxy.open(to_port(node.port)))

    def _way_to_nats(self, number: int) -> dict[str, str]:
        """What a process is told of NATS. With a window so short, what is published again is not recognised by it."""
        if self.nats is None:
            return {}
        given = self.nats.environment | {"FECHATTER_MESSAGING__DUPLICATE_WINDOW_S": "1"}
        if number == 2:
            given["FECHATTER_MESSAGING__URL"] = ",".join(f"nats://127.0.0.1:{proxy.port}" for proxy in self.to_nats)
        return given

    def _database_url(self, number: int) -> str:
        if number != 2:
            return self.postgres.url
        parts = urlsplit(self.postgres.url)
        netloc = f"{parts.username}:{parts.password}@127.0.0.1:{self.database.port}"
        return urlunsplit(parts._replace(netloc=netloc, query=""))

    async def _end(self) -> None:
        for part in self.parts.values():
            part.kill()
        for proxy in (*self.proxies, *self.to_nats):
            await proxy.close()
        if hasattr(self, "database"):
            await self.database.close()
        self.postgres.stop()
