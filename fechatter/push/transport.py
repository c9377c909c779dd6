"""One push over HTTPS, to an address that a browser has given us: it may lead anywhere, so it is held to leading out.

Transport.open   connections, closed at the end
Transport.post   send it; the outcome
Outcome          what the push service made of it

A name is looked up when the connection opens, and the address found is the one connected to: what a name means cannot
change between the check and the use. Redirects are not followed, answers not read, proxies of the environment not used.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from enum import Enum, auto
from functools import partial
from typing import Self

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.push import check_endpoint, is_public_address, origin_of

TIMEOUT_S = 15.0
LONGEST_WAIT_S = 3600.0
CONNECTIONS = 100
"""More than one push service gets (fechatter/push/sender.py): one that is slow leaves enough for the others."""
_TAKEN = (200, 201, 202, 204)
_GONE = (404, 410)


class Outcome(Enum):
    """SENT; GONE: the device is no longer there; LATER: try again; REFUSED: trying again would not help."""

    SENT = auto()
    GONE = auto()
    LATER = auto()
    REFUSED = auto()


class Reply(msgspec.Struct, frozen=True):
    """`wait_s`: how long the push service asks to be left alone."""

    outcome: Outcome
    status: int | None = None
    wait_s: float = 0.0


class Transport:
    """Two sets of connections: one that leads out only, one to the origins that the operator allows."""

    def __init__(self, public: aiohttp.ClientSession, trusted: aiohttp.ClientSession, allowed: Collection[str]) -> None:
        self._public = public
        self._trusted = trusted
        self._allowed = allowed

    @classmethod
    @asynccontextmanager
    async def open(cls, allowed: Collection[str] = ()) -> AsyncGenerator[Self]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        resolver = aiohttp.TCPConnector(resolver=_PublicResolver(), limit=CONNECTIONS, use_dns_cache=False)
        async with (
            aiohttp.ClientSession(connector=resolver, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as public,
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as trusted,
        ):
            yield cls(public, trusted, allowed)

    async def post(self, endpoint: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Never raises for what the other side does."""
        try:
            check_endpoint(endpoint, self._allowed)
        except InvalidRequest:
            return Reply(Outcome.GONE)
        session = self._trusted if origin_of(endpoint) in self._allowed else self._public
        try:
            async with session.post(endpoint, data=body, headers=headers, allow_redirects=False) as response:
                return _reply_of(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return Reply(Outcome.LATER)


class _PublicResolver(AbstractResolver):
    """Names to addresses of the public network; a name that leads elsewhere, even in part, leads nowhere.

    Each may have a thread: the loop's own are few, and a name whose servers do not answer keeps one for half a minute.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="push names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        if not found or not all(is_public_address(str(address[4][0])) for address in found):
            raise OSError("not an address of the public network")
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _reply_of(response: aiohttp.ClientResponse) -> Reply:
    status = response.status
    if status in _TAKEN:
        return Reply(Outcome.SENT, status)
    if status in _GONE:
        return Reply(Outcome.GONE, status)
    if status == 429 or status >= 500:
        asked = response.headers.get("Retry-After", "")
        wait_s = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0.0
        return Reply(Outcome.LATER, status, min(wait_s, LONGEST_WAIT_S))
    return Reply(Outcome.REFUSED, status)
