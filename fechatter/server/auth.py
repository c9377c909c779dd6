"""Who is calling.

provide_claimed_caller   whom a valid token names; the route's one statement checks that the session goes on
provide_caller           the same, checked against the database: for routes that do not check in their own statement
device_of                where the call comes from
"""

import time
from typing import Any

from litestar import Request

from fechatter.actions.identity.sign_in import Device
from fechatter.domain.errors import Unauthenticated
from fechatter.domain.people import Caller
from fechatter.server.context import Context
from fechatter.store.people import sessions

ApiRequest = Request[Any, Any, Any]
USER_AGENT_CHARS = 256


async def provide_claimed_caller(request: ApiRequest, context: Context) -> Caller:
    """Whom the bearer token names. Raises Unauthenticated, TokenExpired, or RateLimited: each call counts."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    caller = context.tokens.verify(token.strip(), time.time())
    admit(request, context, caller)
    return caller


async def provide_caller(request: ApiRequest, context: Context) -> Caller:
    """Whom the bearer token names, if their session goes on. Raises Unauthenticated, TokenExpired or RateLimited."""
    caller = await provide_claimed_caller(request, context)
    async with context.db.connection() as connection:
        if not await sessions.is_live(connection, caller):
            raise Unauthenticated("The session has ended: sign in again.")
    return caller


def admit(request: ApiRequest, context: Context, caller: Caller) -> None:
    """Count the call against the caller's rate and note that they are there. Raises RateLimited."""
    kind = "read" if request.method in ("GET", "HEAD") else "post"
    request.scope["state"]["standing"] = context.limits.spend(kind, caller.user_id)
    context.activity.note(caller, _workspace_named(request))


def device_of(request: ApiRequest) -> Device:
    """The caller's program and address, as the list of sessions shows them."""
    agent = request.headers.get("user-agent", "")[:USER_AGENT_CHARS].replace("\x00", "")
    return Device(user_agent=agent, address=request.client.host if request.client else "")


def _workspace_named(request: ApiRequest) -> int | None:
    """The workspace that the address names, in the path or the query."""
    named: Any = request.path_params.get("workspace_id")
    if named is None and b"workspace_id=" in request.scope["query_string"]:
        text = request.query_params.get("workspace_id", "")
        named = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    return named if isinstance(named, int) and 0 < named < 2**63 else None
