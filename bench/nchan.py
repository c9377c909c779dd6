"""nchan, the publish and subscribe module of nginx: the yardstick that is written in C.

Nchan.start(folder)   one worker on a free port, on the first core, with one channel
nchan.publish(…)      messages, one after the other, on one connection
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.figures import CannotMeasure
from bench.stage import pin
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PACKAGES = ("nginx-light", "libnginx-mod-nchan")
MODULES = ("/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so")
PUBLISH = "/publish"
SUBSCRIBE = "/subscribe"
CONFIGURATION = """
{user}
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 40000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    nchan_shared_memory_size 512m;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = {publish} {{
            nchan_publisher;
            nchan_channel_id bench;
            nchan_message_buffer_length 1000;
            nchan_message_timeout 1m;
        }}
        location = {subscribe} {{
            nchan_subscriber eventsource;
            nchan_channel_id bench;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"""


class Nchan:
    """A running nginx. `pid` is its worker's."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Generator["Nchan"]:
        """Raises CannotMeasure where it is not installed and cannot be."""
        program, module = _installed()
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        (folder / "nginx.conf").write_text(
            CONFIGURATION.format(
                user="user root;" if os.geteuid() == 0 else "",
                module=module,
                folder=folder,
                port=port,
                publish=PUBLISH,
                subscribe=SUBSCRIBE,
            )
        )
        with subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as process:
            try:
                worker = wait_until(lambda: _worker(process, port), "nginx listens")
                pin(worker, 0)
                yield cls(port, worker)
            finally:
                process.terminate()

    def publish(self, messages: Sequence[str]) -> None:
        """All of them in one go; returns when all have been taken."""
        requests = [
            f"POST {PUBLISH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(message)}\r\n\r\n{message}"
            for message in messages
        ]
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall("".join(requests).encode())
            taken = b""
            while taken.count(b"HTTP/1.1 20") < len(messages):
                piece = connection.recv(65536)
                if not piece:
                    raise CannotMeasure("nchan closed the connection of the publisher")
                taken += piece


def _installed() -> tuple[str, str]:
    if not _module() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", *words], env=quiet, capture_output=True, check=False)
    program, module = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), _module()
    if not (program and module):
        raise CannotMeasure(f"no nchan: install it (Debian: apt-get install {' '.join(PACKAGES)})")
    return program, module


def _module() -> str | None:
    return next((path for path in MODULES if Path(path).exists()), None)


def _worker(process: "subprocess.Popen[bytes]", port: int) -> int | None:
    if process.poll() is not None:
        raise CannotMeasure("nginx does not start with nchan")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return None
    children = psutil.Process(process.pid).children()
    return children[0].pid if children else None
