"""One HTTP request, as the edge has read it."""

import ipaddress
import re
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MAX_FIELDS = 20


class Request(msgspec.Struct, frozen=True):
    """A request without its body.

    headers    by lower-case name; the first of a name counts
    address    of the client: of the peer, or what a trusted proxy says
    id         the caller's X-Request-Id if it is a proper one, else a new one
    origin     the Origin header if that origin may use this service, else None
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    keep_alive: bool
    address: str
    id: str
    origin: str | None = None

    @property
    def cursor(self) -> str | None:
        """What to resume from; an EventSource repeats its URL, so the header is the newer one."""
        return self.headers.get("last-event-id") or self.query.get("cursor") or None


def request_id(headers: dict[str, str]) -> str:
    """The caller's id for the request, or a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def parse_query(query: str) -> dict[str, str]:
    """The first value of each name. Raises ValueError for more fields than any route takes."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS):
        fields.setdefault(name, value)
    return fields


class Proxies:
    """Peers whose X-Forwarded-For is believed."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """`trusted`: addresses and networks. Raises ValueError for anything else."""
        self._networks = [ipaddress.ip_network(each, strict=False) for each in trusted]

    def client(self, peer: str, forwarded_for: str) -> str:
        """The address nearest to us that is not a trusted proxy."""
        address = peer
        for hop in reversed([hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []):
            if not self._trusts(address):
                break
            address = hop
        return address

    def _trusts(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self._networks)
        except ValueError:
            return False


class Origins:
    """Which web origins may use this service from a browser: those named, else the web client's own."""

    def __init__(self, named: Sequence[str], public_url: str, server_port: int) -> None:
        self._named = frozenset(each.rstrip("/").lower() for each in named)
        if not self._named and public_url:
            self._named = frozenset({_origin_of(public_url)})
        self._server_port = server_port

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may use the service that it reached as `host`."""
        origin = origin.lower()
        if self._named:
            return origin in self._named
        name = _host_name(host.lower())
        return origin in (f"http://{name}:{self._server_port}", f"https://{name}:{self._server_port}")


def _origin_of(url: str) -> str:
    scheme, _, rest = url.lower().partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _host_name(host: str) -> str:
    """`example.org:6687` → `example.org`, `[::1]:6687` → `[::1]`."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
