"""GET /api/users/…: oneself, and the people of a workspace."""

from litestar import Response, get

from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller, User
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import WHOLE, Id, Limit, Offset, OptionalId, listing
from fechatter.store import users


@get("/users/me", summary="Who am I", tags=["users"])
async def me(context: Context, caller: Caller) -> User:
    async with context.db.connection() as connection:
        user = await users.get(connection, caller.user_id)
    if user is None:
        raise NotFound
    return user


@get("/users", summary="People of a workspace", tags=["users"])
async def list_users(
    request: ApiRequest,
    context: Context,
    caller: Caller,
    workspace_id: OptionalId = None,
    q: str = "",
    limit: Limit = None,
    offset: Offset = 0,
) -> Response[list[User]]:
    """By name. `q`: in the name, username or address. Guests see only people they share a chat with."""
    async with context.db.connection() as connection:
        found = await users.search(
            connection, caller.user_id, workspace_id, q, limit=(limit or WHOLE) + 1, offset=offset
        )
    return listing(request, found, limit, offset)


@get("/users/{user_id:int}", summary="One person", tags=["users"])
async def get_user(context: Context, caller: Caller, user_id: Id) -> User:
    async with context.db.connection() as connection:
        user = await users.visible_to(connection, caller.user_id, user_id)
    if user is None:
        raise NotFound
    return user


ROUTES = [me, list_users, get_user]
