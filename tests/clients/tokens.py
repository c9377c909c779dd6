"""Access tokens that a test makes itself, right and wrong ones, without a JWT library.

signed(claims, key, …)   a compact JWS, signed with HMAC
claims_of(token)         what a token says, without looking at its signature
signing_key(stack)       the key that the stack generated
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from tests.support.stack import Stack

HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def signed(claims: Mapping[str, Any], key: bytes, algorithm: str = "HS256") -> str:
    """With `none` (in any spelling) the signature is empty, as RFC 7515 has it for unsecured tokens."""
    head = _encode(msgspec.json.encode({"alg": algorithm, "typ": "JWT"}))
    body = _encode(msgspec.json.encode(claims))
    if algorithm not in HASHES:
        return f"{head}.{body}."
    signature = hmac.new(key, f"{head}.{body}".encode(), HASHES[algorithm]).digest()
    return f"{head}.{body}.{_encode(signature)}"


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def signing_key(stack: Stack) -> bytes:
    return (stack.data_dir / "secrets" / "signing_key").read_text().strip().encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
