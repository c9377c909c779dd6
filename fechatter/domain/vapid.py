"""Who sends a push: the key that signs for this installation (VAPID, RFC 8292).

new_private_key   for the first run
Vapid             the public half, for browsers; the header of one push
"""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from fechatter.domain.errors import OperatorError
from fechatter.domain.push import origin_of

TTL_S = 12 * 3600


def new_private_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _encoded(number.to_bytes(32))


class Vapid:
    """Signs with one key for good.

    public_key   what browsers subscribe with
    """

    def __init__(self, private_key: str, contact: str) -> None:
        """`contact` is a mailto: or https: address of the operator. Raises OperatorError for what is no key."""
        key = _key_of(private_key)
        point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.public_key = _encoded(point)
        self._contact = contact
        self._key = ECKey.import_key(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def authorization(self, endpoint: str, now: float) -> str:
        """The Authorization header of a push to that address."""
        claims = {"aud": origin_of(endpoint), "exp": int(now) + TTL_S, "sub": self._contact}
        token = jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, self._key)
        return f"vapid t={token},k={self.public_key}"


def _key_of(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return ec.derive_private_key(number, ec.SECP256R1())
    except ValueError as problem:
        raise OperatorError("push.private_key is no private key of P-256: 32 bytes in base64url.") from problem


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
