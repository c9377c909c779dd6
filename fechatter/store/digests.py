"""How random secrets lie in the database: refresh tokens, invite codes, tickets. Not for passwords."""

import hashlib


def digest_of(secret: str) -> bytes:
    """SHA-256: enough for what has 128 random bits or more. Takes any text that somebody may send."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()
