"""free_port(): a port of 127.0.0.1 that nobody else gets."""

import os
import socket
from itertools import count

FIRST = 10_000
PER_WORKER = 500

_next = count()


def free_port() -> int:
    """Another range in each worker, below those from which the system and `fechatter up` with NATS take their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = FIRST + worker * PER_WORKER + (os.getpid() * 37 + next(_next)) % PER_WORKER
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
