"""Access tokens: JWT (RFC 7519) signed with HMAC-SHA-256, and with nothing else.

Tokens.issue    a token for a user's session
Tokens.verify   who a token names, or Unauthenticated / TokenExpired
"""

import binascii
from collections import OrderedDict

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from fechatter.domain.errors import TokenExpired, Unauthenticated
from fechatter.domain.ids import MAX_ID
from fechatter.domain.people import Caller

ALGORITHM = "HS256"
_HEADER = {"alg": ALGORITHM, "typ": "JWT"}
_REMEMBERED = 20_000
_MAX_CHARS = 4_096


class Tokens:
    """Issues and verifies tokens with one key.

    key     at least 32 bytes
    issuer  the `iss` that tokens carry and must carry
    ttl_s   how long a token is good for, in seconds
    """

    def __init__(self, key: bytes, issuer: str, ttl_s: int) -> None:
        if len(key) < 32:
            raise ValueError("the signing key must have at least 32 bytes")
        self._key = OctKey.import_key(key)
        self._issuer = issuer
        self.ttl_s = ttl_s
        # Verifying costs as much as a query; a token is immutable, so what was verified once stays so until `exp`.
        self._verified: OrderedDict[str, tuple[Caller, int]] = OrderedDict()

    def issue(self, user_id: int, session_id: int, now: float) -> str:
        """A token good from `now` (seconds since the epoch) for `ttl_s`."""
        issued = int(now)
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "iss": self._issuer,
            "iat": issued,
            "exp": issued + self.ttl_s,
        }
        return jwt.encode(_HEADER, claims, self._key, algorithms=[ALGORITHM])

    def verify(self, token: str, now: float) -> Caller:
        """Who `token` names at `now`. Raises Unauthenticated, or TokenExpired once `exp` has come."""
        caller, expires = self._verified.get(token) or self._check(token)
        if now >= expires:
            self._verified.pop(token, None)
            raise TokenExpired
        return caller

    def _check(self, token: str) -> tuple[Caller, int]:
        if len(token) > _MAX_CHARS:
            raise Unauthenticated
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError, binascii.Error) as error:
            raise Unauthenticated from error
        checked = _caller(claims, self._issuer)
        self._verified[token] = checked
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return checked


def _caller(claims: dict[str, object], issuer: str) -> tuple[Caller, int]:
    sub, session_id, expires = claims.get("sub"), claims.get("sid"), claims.get("exp")
    if (
        claims.get("iss") != issuer
        or not isinstance(sub, str)
        or not (sub.isascii() and sub.isdigit() and len(sub) < 19)
        or not isinstance(session_id, int)
        or not 0 < session_id <= MAX_ID
        or not isinstance(expires, int)
    ):
        raise Unauthenticated
    return Caller(int(sub), session_id), expires
