"""Ports and readiness.

check_port(…)        OperatorError if the service could not listen there
wait_for_port(…)     the same, after giving an earlier run's service time to go
is_ready(…)          whether a service answers 200 on /ready
local_url(…)         the address on this machine
"""

import asyncio
import time
from contextlib import suppress

import msgspec

from fechatter.listening import PortTaken, listen

POLL_S = 0.1
PROBE_TIMEOUT_S = 2.0


def check_port(service: str, host: str, port: int, setting: str) -> None:
    """`setting` is the variable that chooses the port, for the sentence."""
    listen(service, host, port, setting).close()


def wait_for_port(service: str, host: str, port: int, setting: str, patience_s: float) -> None:
    """Blocks up to `patience_s`."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return check_port(service, host, port, setting)
        except PortTaken:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


async def is_ready(host: str, port: int, process: int | None = None) -> bool:
    """Ask /ready once; an answer that does not come in 2 s is a no, and so is that of another `process`."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            head, _, body = (await _ask_ready(_reachable(host), port)).partition(b"\r\n\r\n")
    except (OSError, TimeoutError):
        return False
    good = head.split(None, 2)[1:2] == [b"200"]
    return good and (process is None or msgspec.json.decode(body, type=_Ready).process == process)


def local_url(host: str, port: int) -> str:
    host = _reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Ready(msgspec.Struct):
    process: int | None = None


async def _ask_ready(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /ready HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _reachable(host: str) -> str:
    """Where to find a service that listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
