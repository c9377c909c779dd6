"""Request ids: the caller's, if it is one, else ours."""

import re
import secrets
from collections.abc import Mapping

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """What `X-Request-Id` says, if it is 1 to 128 of `A-Za-z0-9._-`; else a new one."""
    given = headers.get(b"x-request-id", b"")
    return given.decode("ascii") if _REQUEST_ID.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    return secrets.token_hex(8)
