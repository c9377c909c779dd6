"""/api/auth/…: sign up, sign in, refresh, sign out, change the password, one's sessions.

The refresh token goes out in the body and as a cookie that scripts cannot read; with ?session=cookie only as that.
"""

import time
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.datastructures import Cookie

from fechatter.actions.identity.change_password import change_password
from fechatter.actions.identity.sign_in import SignedIn, refresh, sign_in
from fechatter.actions.identity.sign_out import end_session, sign_out, sign_out_everywhere
from fechatter.actions.identity.sign_up import Newcomer, sign_up
from fechatter.domain import people
from fechatter.domain.errors import InvalidRequest, TokenExpired, Unauthenticated
from fechatter.domain.people import Caller, User, Workspace
from fechatter.domain.text import check_email, check_name, check_text
from fechatter.server import file_access
from fechatter.server.auth import ApiRequest, device_of, provide_claimed_caller
from fechatter.server.context import Context
from fechatter.server.file_access import file_cookie
from fechatter.server.lists import Id
from fechatter.store.people import sessions

COOKIE = "fechatter_refresh"
COOKIE_PATH = "/api/auth"
SessionIn = Literal["body", "cookie"]
_SECRET_CHARS = 512


class SignUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fullname: str
    email: str
    password: str
    workspace: str | None = None
    invite: str | None = None


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: str
    password: str


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current_password: str
    new_password: str


class RefreshToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `refresh_token` the cookie is used."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=_SECRET_CHARS)] | None = None


class SignedInSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`expires_in` in seconds. `refresh_token` is left out with ?session=cookie."""

    token: str
    token_type: str
    expires_in: int
    user: User
    workspace: Workspace | None
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET


@post("/auth/signup", status_code=201, summary="Create an account", tags=["auth"])
async def signup(
    request: ApiRequest, context: Context, data: SignUp, session: SessionIn = "body"
) -> Response[SignedInSession]:
    """Without `invite`: a new workspace, named `workspace` or after the user, which the user owns."""
    limits, auth = context.settings.limits, context.settings.auth
    device = device_of(request)
    newcomer = Newcomer(
        fullname=check_name("fullname", data.fullname, limits.fullname_chars),
        email=check_email("email", data.email),
        password=check_text("password", data.password, limits.password_min, limits.password_max),
        workspace=None if data.workspace is None else check_name("workspace", data.workspace, limits.name_chars),
        invite=None if data.invite is None else check_text("invite", data.invite, 1, _SECRET_CHARS),
    )
    await context.limits.sign_up(device.address)
    if newcomer.invite is not None:
        await context.limits.open_invite(device.address)
    signed_in = await sign_up(
        context.db,
        context.passwords,
        newcomer,
        mode=auth.signup,
        device=device,
        ttl_s=auth.refresh_ttl_s,
    )
    return _session(request, context, signed_in, session, 201)


@post("/auth/signin", status_code=200, summary="Sign in", tags=["auth"])
async def signin(
    request: ApiRequest, context: Context, data: SignIn, session: SessionIn = "body"
) -> Response[SignedInSession]:
    """Says the same, in the same time, for an unknown address and a wrong password."""
    limits, auth = context.settings.limits, context.settings.auth
    email = check_text("email", data.email, 1, 1024).strip()
    password = check_text("password", data.password, 1, limits.password_max)
    device = device_of(request)
    request.scope["state"]["standing"] = await context.limits.sign_in(email, device.address)
    await context.activity.flush()  # so that the workspace used last is the one used last
    signed_in = await sign_in(
        context.db, context.passwords, email=email, password=password, device=device, ttl_s=auth.refresh_ttl_s
    )
    return _session(request, context, signed_in, session, 200)


@post("/auth/refresh", status_code=200, summary="Get the next token", tags=["auth"])
async def refresh_session(
    request: ApiRequest, context: Context, data: RefreshToken | None = None, session: SessionIn = "body"
) -> Response[SignedInSession]:
    """Spends the refresh token. The last spent one may come again within 30 s; an older one ends the session."""
    refresh_token = _refresh_token(request, data)
    if refresh_token is None:
        raise Unauthenticated
    signed_in = await refresh(context.db, refresh_token, context.settings.auth.refresh_ttl_s)
    return _session(request, context, signed_in, session, 200)


@post("/auth/signout", status_code=204, summary="End this session", tags=["auth"])
async def signout(request: ApiRequest, context: Context, data: RefreshToken | None = None) -> Response[None]:
    """Needs the bearer token or the refresh token, in the body or as the cookie."""
    await sign_out(context.db, await _leaving(request, context, data))
    return _signed_out()


@post("/auth/signout-all", status_code=204, summary="End all my sessions", tags=["auth"])
async def signout_all(request: ApiRequest, context: Context, data: RefreshToken | None = None) -> Response[None]:
    """This one too. Needs the bearer token or the refresh token, in the body or as the cookie."""
    await sign_out_everywhere(context.db, await _leaving(request, context, data))
    return _signed_out()


@post("/auth/password", status_code=204, summary="Change my password", tags=["auth"])
async def password(context: Context, caller: Caller, data: NewPassword) -> None:
    """Every other session ends. 403 if `current_password` is wrong."""
    limits = context.settings.limits
    current = check_text("current_password", data.current_password, 1, limits.password_max)
    new = check_text("new_password", data.new_password, limits.password_min, limits.password_max)
    await context.limits.password(caller.user_id)
    await change_password(context.db, context.passwords, caller, current, new)


@get("/auth/sessions", summary="My sessions", tags=["auth"])
async def list_sessions(context: Context, caller: Caller) -> list[people.Session]:
    """This one first, then the last used."""
    async with context.db.connection() as connection:
        return list(await sessions.list_(connection, caller))


@delete("/auth/sessions/{session_id:int}", status_code=204, summary="End one of my sessions", tags=["auth"])
async def delete_session(context: Context, caller: Caller, session_id: Id) -> None:
    await end_session(context.db, caller, session_id)


async def _leaving(request: ApiRequest, context: Context, data: RefreshToken | None) -> Caller:
    """Who wants to go: by the bearer token, or once that has expired by the refresh token."""
    refresh_token = _refresh_token(request, data)
    if "authorization" in request.headers:
        try:
            return await provide_claimed_caller(request, context)
        except TokenExpired:
            if refresh_token is None:
                raise
    async with context.db.connection() as connection:
        caller = await sessions.of_refresh_token(connection, refresh_token or "")
    if caller is None:
        raise Unauthenticated
    return caller


def _signed_out() -> Response[None]:
    response: Response[None] = Response(None, status_code=204)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    response.delete_cookie(file_access.COOKIE, path=file_access.COOKIE_PATH)
    return response


def _refresh_token(request: ApiRequest, data: RefreshToken | None) -> str | None:
    given = (data.refresh_token if data else None) or request.cookies.get(COOKIE)
    if given is not None and len(given) > _SECRET_CHARS:
        raise InvalidRequest(fields={"refresh_token": "is too long to be one"})
    return given


def _session(
    request: ApiRequest, context: Context, signed_in: SignedIn, session: SessionIn, status: int
) -> Response[Any]:
    caller, auth = signed_in.caller, context.settings.auth
    body = SignedInSession(
        token=context.tokens.issue(caller.user_id, caller.session_id, time.time()),
        token_type="Bearer",  # noqa: S106 - the scheme's name (RFC 6750)
        expires_in=context.tokens.ttl_s,
        user=signed_in.user,
        workspace=signed_in.workspace,
        refresh_token=signed_in.refresh_token if session == "body" else msgspec.UNSET,
    )
    cookie = Cookie(
        key=COOKIE,
        value=signed_in.refresh_token,
        path=COOKIE_PATH,
        max_age=auth.refresh_ttl_s,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return Response(
        body,
        status_code=status,
        cookies=[cookie, file_cookie(request, context, caller)],
        headers={"Cache-Control": "no-store"},
    )


ROUTES = [
    signup,
    signin,
    refresh_session,
    signout,
    signout_all,
    password,
    list_sessions,
    delete_session,
]
