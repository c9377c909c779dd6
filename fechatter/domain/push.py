"""Web Push: what a person may choose, and where pushes may go.

PushSubscription, PushSettings, QuietHours, ChatNotifications   as they go over the wire
check_endpoint        an address that pushes may be sent to
check_keys            the keys that a browser encrypts with
"""

import base64
import ipaddress
import re
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from fechatter.domain.errors import InvalidRequest

ENDPOINT_CHARS = 2048
_POINT_BYTES, _AUTH_BYTES = 65, 16
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_NAME = re.compile(r"[a-z0-9.-]+")
_INWARD = tuple(ipaddress.ip_network(net) for net in ("::/96", "64:ff9b:1::/48", "fec0::/10"))
"""Called global by the library, but IPv4 in disguise, or the inside of a site."""
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class NotifyLevel(StrEnum):
    """`default`: direct messages and groups all, channels only mentions; or mentions only, for those who chose that."""

    DEFAULT = "default"
    ALL = "all"
    MENTIONS = "mentions"
    NOTHING = "nothing"


class PushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A device that gets pushes. `current`: the one of the session that asks."""

    id: int
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None
    current: bool


class QuietHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `start` until `end`, HH:MM in the time zone; over midnight if `end` is earlier. The same: never."""

    start: Clock
    end: Clock
    timezone: str

    def hold(self, now: datetime) -> bool:
        """Whether it is quiet now. On the day that clocks change the hours are as clocks show them."""
        time = now.astimezone(ZoneInfo(self.timezone)).strftime("%H:%M")
        if self.start <= self.end:
            return self.start <= time < self.end
        return time >= self.start or time < self.end


class PushSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all devices. `hide_content`: pushes say who wrote and where, never what."""

    mentions_only: bool = False
    hide_content: bool = False
    quiet_hours: QuietHours | None = None


class ChatNotifications(msgspec.Struct, frozen=True, kw_only=True):
    """What one is told of a chat. Nothing before `muted_until`."""

    level: NotifyLevel = NotifyLevel.DEFAULT
    muted_until: datetime | None = None


def check_endpoint(endpoint: str, allowed: Collection[str]) -> str:
    """https to a host that is not ours: no address of a private network, no credentials, the usual port. An origin
    in `allowed` is the operator's choice. Raises InvalidRequest. Names are looked up when something is sent.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise _refused() from None
    if len(endpoint) > ENDPOINT_CHARS or not endpoint.isascii() or re.search(r"[\s\\\x00-\x20]", endpoint):
        raise _refused()
    if origin_of(endpoint) in allowed and "@" not in parts.netloc:
        return endpoint
    host = parts.hostname or ""
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc or not _is_public_name(host):
        raise _refused()
    return endpoint


def origin_of(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def is_public_address(address: str) -> bool:
    """Whether it leads out of our own networks, however it is dressed up."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return is_public_address(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            return is_public_address(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
        if any(parsed in net for net in _INWARD):
            return False
    return parsed.is_global and not parsed.is_multicast


def check_keys(p256dh: str, auth: str) -> None:
    """A point of P-256, uncompressed, and 16 bytes, both base64url. Raises InvalidRequest."""
    point, secret = _decoded(p256dh), _decoded(auth)
    if len(point) != _POINT_BYTES or point[:1] != b"\x04" or not _is_on_curve(point):
        raise InvalidRequest(fields={"keys.p256dh": "must be a public key of P-256, uncompressed, in base64url"})
    if len(secret) != _AUTH_BYTES:
        raise InvalidRequest(fields={"keys.auth": "must be 16 bytes in base64url"})


def _is_public_name(host: str) -> bool:
    """A name with a dot in it that is no number, or a public address."""
    if ":" in host or re.fullmatch(r"[0-9a-fx.]+", host):
        return is_public_address(host)
    return (
        _NAME.fullmatch(host) is not None
        and "." in host.strip(".")
        and not host.endswith((".localhost", ".local", ".internal", ".lan"))
    )


def _refused() -> InvalidRequest:
    return InvalidRequest(fields={"endpoint": "must be the https address of a push service"})


def _decoded(text: str) -> bytes:
    """Empty if it is no base64url: the decoder itself would skip what does not belong there, and others do not."""
    if not _BASE64URL.fullmatch(text):
        return b""
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except ValueError:
        return b""


def _is_on_curve(point: bytes) -> bool:
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    x, y = int.from_bytes(point[1:33]), int.from_bytes(point[33:])
    return x < p and y < p and (y * y - (x * x * x - 3 * x + b)) % p == 0
