"""Which pages of other origins may use the API (CORS), and which requests they forge.

Origins.headers_for   what lets the page of an allowed origin read an answer
Origins.preflight     the same before it may ask
Origins.is_forged     a page of a foreign origin uses the browser's cookies

Without configured origins only our own page may: the browser sees to that.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from litestar.types import HTTPScope

Headers = list[tuple[bytes, bytes]]
_EXPOSED = b"Link, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = b"Authorization, Content-Type, Range, If-None-Match, If-Range, X-Request-Id"
_SAFE = ("GET", "HEAD", "OPTIONS")
_AUTH = "/api/auth/"


class Origins:
    """The origins that are ours (the public address and the request's own host) or allowed."""

    def __init__(self, allowed: Sequence[str], public_url: str) -> None:
        self._allowed = {origin.rstrip("/").lower().encode() for origin in allowed}
        self._own_hosts = {urlsplit(url).netloc.lower().encode() for url in (public_url,) if url}

    def headers_for(self, origin: bytes) -> Headers:
        """Nothing for our own page, which needs none, and for foreign ones, which get none."""
        if origin.lower() not in self._allowed:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"Origin"),
            (b"cross-origin-resource-policy", b"cross-origin"),
        ]

    def preflight(self, scope: HTTPScope, origin: bytes) -> Headers | None:
        """The headers of a 204 if a browser asks whether the page of an allowed origin may ask; else None."""
        if scope["method"] != "OPTIONS" or origin.lower() not in self._allowed:
            return None
        return [
            *self.headers_for(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ASKED),
            (b"access-control-max-age", b"600"),
        ]

    def is_forged(self, scope: HTTPScope, headers: dict[bytes, bytes], origin: bytes) -> bool:
        """Whether a foreign page acts with a cookie. SameSite=Strict stops other sites; this, their neighbours too."""
        if scope["method"] in _SAFE or not scope["path"].startswith(_AUTH) or b"cookie" not in headers:
            return False
        host = origin.lower().partition(b"://")[2]
        ours = host == headers.get(b"host", b"").lower() or host in self._own_hosts
        return not ours and origin.lower() not in self._allowed
