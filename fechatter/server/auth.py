"""Who is calling.

claimed_caller   whom a valid token names; the route's one statement checks that the session goes on
live_caller      the same, checked against the database: for routes that do not check in their own statement
device_of        where the call comes from
file_tokens      for the cookie with which a browser loads files
"""

import time
from typing import Any

from litestar import Request

from fechatter.actions.sign_in import Device
from fechatter.config import Settings
from fechatter.domain.errors import Unauthenticated
from fechatter.domain.people import Caller
from fechatter.domain.tokens import Tokens
from fechatter.server.context import Context
from fechatter.store import sessions

ApiRequest = Request[Any, Any, Any]
USER_AGENT_CHARS = 256


async def provide_claimed_caller(request: ApiRequest, context: Context) -> Caller:
    """Whom the bearer token names. Raises Unauthenticated or TokenExpired."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return context.tokens.verify(token.strip(), time.time())


async def provide_caller(request: ApiRequest, context: Context) -> Caller:
    """Whom the bearer token names, if their session goes on. Raises Unauthenticated or TokenExpired."""
    caller = await provide_claimed_caller(request, context)
    async with context.db.connection() as connection:
        if not await sessions.is_live(connection, caller):
            raise Unauthenticated("The session has ended: sign in again.")
    return caller


def device_of(request: ApiRequest) -> Device:
    """The caller's program and address, as the list of sessions shows them."""
    agent = request.headers.get("user-agent", "")[:USER_AGENT_CHARS].replace("\x00", "")
    return Device(user_agent=agent, address=request.client.host if request.client else "")


def file_tokens(settings: Settings) -> Tokens:
    """Issues and verifies what the files' cookie holds: another issuer, so that neither kind passes for the other.

    They live as long as a session without use, and end with the session: it is asked at each use.
    """
    auth = settings.auth
    return Tokens(auth.signing_key.encode(), f"{auth.issuer}/files", auth.refresh_ttl_s)
