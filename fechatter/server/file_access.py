"""Who reads a file: by the bearer token, or by a cookie that is good for nothing else, so that <img> can load it.

file_tokens       issues and verifies what the cookie holds
file_cookie       the cookie, for one who has signed in
provide_reader    whom the token or the cookie names; the route's one statement checks that the session goes on
"""

import time

from litestar.datastructures import Cookie

from fechatter.config import Settings
from fechatter.domain.people import Caller
from fechatter.domain.tokens import Tokens
from fechatter.server.auth import ApiRequest, admit, provide_claimed_caller
from fechatter.server.context import Context

COOKIE = "fechatter_files"
COOKIE_PATH = "/api/files"


def file_tokens(settings: Settings) -> Tokens:
    """Another issuer than that of access tokens, so that neither kind passes for the other.

    They are good as long as a session lasts without use, and end with the session, which is asked at each use.
    """
    auth = settings.auth
    return Tokens(auth.signing_key.encode(), f"{auth.issuer}/files", auth.refresh_ttl_s)


def file_cookie(request: ApiRequest, context: Context, caller: Caller) -> Cookie:
    """Sent by the browser for files only, and by no page of another site."""
    return Cookie(
        key=COOKIE,
        value=context.file_tokens.issue(caller.user_id, caller.session_id, time.time()),
        path=COOKIE_PATH,
        max_age=context.settings.auth.refresh_ttl_s,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


async def provide_reader(request: ApiRequest, context: Context) -> Caller:
    """Whom the bearer token names, else the cookie. Raises Unauthenticated, TokenExpired or RateLimited."""
    cookie = request.cookies.get(COOKIE)
    if cookie and "authorization" not in request.headers:
        caller = context.file_tokens.verify(cookie, time.time())
        admit(request, context, caller)
        return caller
    return await provide_claimed_caller(request, context)
