"""Why a NATS server cannot be used: one sentence for an operator, that goes on after "it", with nothing secret in it.

why         of what happened on one connection, the most telling
standing    the same as /ready tells it
NoTls, Refused   what nats-py does not tell of itself
FAILURES    what a connection can end with
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import nats.errors
import nkeys

from fechatter.config import Messaging
from fechatter.domain.errors import OperatorError

FAILURES = (OSError, asyncio.TimeoutError, nats.errors.Error, nkeys.NkeysError, ValueError, OperatorError)
"""ssl.SSLError is an OSError."""

_UNTRUSTED = {18, 19, 20, 21}
"""OpenSSL's codes for certificates that nobody known has signed."""


class NoTls(nats.errors.Error):
    """The server asks for no TLS where the settings do."""

    def __init__(self) -> None:
        super().__init__("asks for no TLS, which tls:// and messaging.tls_… do: it was told nothing")


class Refused(nats.errors.Error):
    """What the server's permissions do not allow."""

    def __init__(self, said: str) -> None:
        super().__init__(f"does not permit what we need: {said.removeprefix('nats: ')}")


def why(problems: Sequence[BaseException], settings: Messaging, url: str) -> str:
    """`problems` in the order in which they came; at least one."""
    # With TLS 1.3 a client learns last that its certificate was refused, after writes that have failed by then.
    alerts = [
        problem for problem in problems if isinstance(problem, ssl.SSLError) and "ALERT" in (problem.reason or "")
    ]
    return _sentence([*alerts, *problems][0], settings, url)


def standing(alive: bool, reason: str) -> str:
    """For /ready."""
    return "ok" if alive else f"away: it {reason}" if reason else "away"


def _sentence(problem: BaseException, settings: Messaging, url: str) -> str:
    match problem:
        case NoTls() | Refused():
            return str(problem)
        case OperatorError():
            return f"was not asked. {problem}"
        case ssl.SSLError():
            return _of_tls(problem, settings)
        case asyncio.TimeoutError():  # nats.errors.TimeoutError is one
            return "does not answer"
        case OSError():
            return _of_network(problem)
        case nkeys.NkeysError():
            return f"was not asked: messaging.{'creds' if settings.creds else 'nkey'} holds no valid seed"
        case _ if "expired" in str(problem).lower():
            return f"refuses {_way(settings, url)}, which has expired"
        case _ if "authorization violation" in str(problem).lower():
            return _of_sign_in(settings, url)
        case nats.errors.UnexpectedEOF():
            return "closed the connection"
        case _:
            return f"fails: {type(problem).__name__}: {_text(problem)}"


def _of_network(problem: OSError) -> str:
    """Not in the error's own text, which may hold addresses: /ready is for everybody."""
    match problem:
        case ConnectionRefusedError():
            return "does not listen"
        case socket.gaierror():
            return "has a name that is not known"
        case ConnectionError():
            return "closed the connection"
        case _:
            return f"cannot be reached: {os.strerror(problem.errno)}" if problem.errno else "cannot be reached"


def _of_tls(problem: ssl.SSLError, settings: Messaging) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        told = problem.verify_message.rstrip(".")
        hint = ": messaging.tls_ca must hold who signed it" if problem.verify_code in _UNTRUSTED else ""
        return f"has a certificate that is not to be trusted ({told}){hint}"
    reason = (problem.reason or "").replace("_", " ").lower()
    if "certificate required" in reason:
        return "asks for a certificate: set messaging.tls_cert and messaging.tls_key"
    if "alert" in reason and settings.tls_cert:
        return f"refuses the certificate of messaging.tls_cert ({reason})"
    return f"fails at TLS: {reason or _text(problem)}"


def _of_sign_in(settings: Messaging, url: str) -> str:
    if way := _way(settings, url):
        return f"refuses {way}"
    if settings.tls_cert:
        return "knows nobody with the certificate of messaging.tls_cert"
    return "asks who we are: set messaging.user and password, token, nkey or creds"


def _way(settings: Messaging, url: str) -> str:
    """In the order in which they are used."""
    for name in ("creds", "nkey", "token"):
        if getattr(settings, name):
            return f"messaging.{name}"
    if settings.user:
        return "messaging.user with messaging.password"
    return "what messaging.url signs in with" if urlsplit(url).username else ""


def _text(problem: BaseException) -> str:
    return " ".join(str(problem).removeprefix("nats: ").split())[:120]
