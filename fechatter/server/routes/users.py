"""/api/users/…: oneself, and the people of a workspace."""

import re
from functools import cache
from zoneinfo import available_timezones

import msgspec
from litestar import Response, get, patch

from fechatter.actions.identity.update_profile import update_profile
from fechatter.domain.errors import InvalidRequest, NotFound
from fechatter.domain.ids import RowId
from fechatter.domain.people import Caller, User
from fechatter.domain.text import check_name, check_text, check_username
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, OptionalId, listing
from fechatter.store.people import users
from fechatter.store.people.users import Profile

QUERY_CHARS = 256
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. `avatar_file_id` null: no picture; else an image that the caller has uploaded."""

    fullname: str | msgspec.UnsetType = msgspec.UNSET
    username: str | msgspec.UnsetType = msgspec.UNSET
    avatar_file_id: RowId | msgspec.UnsetType | None = msgspec.UNSET
    locale: str | msgspec.UnsetType = msgspec.UNSET
    timezone: str | msgspec.UnsetType = msgspec.UNSET


@get("/users/me", summary="Who am I", tags=["users"])
async def me(context: Context, caller: Caller) -> User:
    async with context.db.connection() as connection:
        user = await users.get(connection, caller.user_id)
    if user is None:
        raise NotFound
    return user


@patch("/users/me", summary="Change my profile", tags=["users"])
async def change_me(context: Context, caller: Caller, data: ProfileChange) -> User:
    """409 for a username that somebody else has."""
    given = msgspec.UNSET
    fullname_chars = context.settings.limits.fullname_chars
    profile = Profile(
        fullname=None if data.fullname is given else check_name("fullname", data.fullname, fullname_chars),
        username=None if data.username is given else check_username("username", data.username),
        avatar=await _avatar(context, caller, data.avatar_file_id),
        locale=None if data.locale is given else _check_locale(data.locale),
        timezone=None if data.timezone is given else check_timezone("timezone", data.timezone),
    )
    return await update_profile(context.db, caller, profile)


@get("/users", summary="People of a workspace", tags=["users"])
async def list_users(
    request: ApiRequest,
    context: Context,
    caller: Caller,
    workspace_id: OptionalId = None,
    q: str = "",
    limit: Limit = PAGE,
    offset: Offset = 0,
) -> Response[list[User]]:
    """By name. `q`: in the name, username or address. Guests see only people they share a chat with."""
    async with context.db.connection() as connection:
        found = await users.search(
            connection,
            caller.user_id,
            workspace_id,
            check_text("q", q, 0, QUERY_CHARS),
            limit=limit + 1,
            offset=offset,
        )
    return listing(request, found, limit, offset)


@get("/users/{user_id:int}", summary="One person", tags=["users"])
async def get_user(context: Context, caller: Caller, user_id: Id) -> User:
    async with context.db.connection() as connection:
        user = await users.visible_to(connection, caller.user_id, user_id)
    if user is None:
        raise NotFound
    return user


async def _avatar(
    context: Context, caller: Caller, file_id: int | msgspec.UnsetType | None
) -> str | msgspec.UnsetType | None:
    """The address of the picture."""
    if not isinstance(file_id, int):
        return file_id
    async with context.db.connection() as connection:
        avatar = await users.picture(connection, caller.user_id, file_id)
    if avatar is None:
        raise InvalidRequest(fields={"avatar_file_id": "names no image of yours"})
    return avatar


def _check_locale(text: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise InvalidRequest(fields={"locale": "must be a language tag such as en or zh-CN"})
    return text


def check_timezone(field: str, text: str) -> str:
    """Raises InvalidRequest for a name that is not in the database of time zones."""
    if text not in _timezones():
        raise InvalidRequest(fields={field: "must be a name of the IANA time zone database, such as Asia/Shanghai"})
    return text


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones()) | {"UTC"}


ROUTES = [me, change_me, list_users, get_user]
