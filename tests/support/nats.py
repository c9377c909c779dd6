"""Real NATS servers for tests.

cluster_of(folder, size)    one or more, with JetStream and a password; kill, restart and wipe them at will
messaging_of(cluster, …)    the settings with which a process of ours uses it
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from deploy.nats.cluster import Cluster
from fechatter.config import Messaging
from tests.support.ports import free_port


@contextmanager
def cluster_of(folder: Path, size: int, *, tls: bool = False) -> Generator[Cluster]:
    running = Cluster.start(folder, size, tls=tls, a_port=free_port)
    try:
        yield running
    finally:
        running.stop()


def messaging_of(cluster: Cluster, enabled: bool | Literal["both"] = True) -> Messaging:
    given = cluster.environment
    ca = given.get("FECHATTER_MESSAGING__TLS_CA")
    return Messaging(
        enabled=enabled,
        url=given["FECHATTER_MESSAGING__URL"],
        user=given["FECHATTER_MESSAGING__USER"],
        password=given["FECHATTER_MESSAGING__PASSWORD"],
        tls_ca=Path(ca) if ca else None,
    )
