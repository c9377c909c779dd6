"""Where a service listens.

listen(…)   a bound socket for it
PortTaken   another program is there
IDLE_S      how long a connection without a request is kept
LINGER_S    how long one that was refused is still read
"""

import errno
import socket
from contextlib import suppress

import psutil

from fechatter.domain.errors import OperatorError

IDLE_S = 75
"""Longer than clients and reverse proxies usually keep one (60 s), so that none sends a request on a connection that is
being closed: it would go unanswered, and may not be sent again unless it is harmless."""

LINGER_S = 2.0
"""A client that is still sending what cannot be understood has so long to read why (RFC 9112, 9.6)."""


class PortTaken(OperatorError):
    """Another program listens where a service should."""


def listen(service: str, host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    """A socket bound to the port, not yet accepting. Raises OperatorError with what to do.

    `shared`: others who say so too may listen there, and the kernel deals connections out to all.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise OperatorError(f"{service} cannot listen on {host}: {problem.strerror or problem}.") from problem
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise _explain(problem, service, host, port, setting) from problem
    return bound


def _explain(problem: OSError, service: str, host: str, port: int, setting: str) -> OperatorError:
    if problem.errno == errno.EADDRINUSE:
        return PortTaken(
            f"Port {port} on {host}, which {service} needs, is taken{_by_whom(port)}: "
            f"stop that program, or choose another port with {setting}."
        )
    if problem.errno == errno.EACCES:
        return OperatorError(f"{service} may not listen on port {port}: choose one above 1023 with {setting}.")
    return OperatorError(f"{service} cannot listen on {host}, port {port}: {problem.strerror}.")


def _by_whom(port: int) -> str:
    """Only what this user may see."""
    with suppress(psutil.Error, OSError):
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr[1] == port and found.pid:
                return f" by process {found.pid} ({psutil.Process(found.pid).name()})"
    return ""
