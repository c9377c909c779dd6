"""/api/chats: the sidebar, new chats, public channels, changing, deleting, joining and leaving a chat."""

from typing import Any

import msgspec
from litestar import Response, delete, get, post, put
from msgspec import UNSET, UnsetType

from fechatter.actions.chats.create_chat import ChatPlan, create_chat
from fechatter.actions.chats.delete_chat import delete_chat
from fechatter.actions.chats.join_chat import join_chat
from fechatter.actions.chats.leave_chat import leave_chat
from fechatter.actions.chats.update_chat import ChatChanges, update_chat
from fechatter.domain.chats import Chat, ChatType
from fechatter.domain.errors import InvalidRequest, NotFound, Unauthenticated
from fechatter.domain.ids import RowId
from fechatter.domain.people import Caller
from fechatter.domain.text import check_description, check_name, check_text
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, OptionalId, listing, next_link
from fechatter.store.chats import chats, sidebar


class NewChat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The creator is a member without being named. A Single may go without a name."""

    type: ChatType
    name: str | None = None
    members: list[RowId] = []
    workspace_id: RowId | None = None
    description: str | None = None


class ChangedChat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is; a `description` of null takes it away."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


@get("/chats", summary="My chats", tags=["chats"])
async def list_chats(
    request: ApiRequest,
    context: Context,
    claimed: Caller,
    workspace_id: OptionalId = None,
    limit: Limit = PAGE,
    offset: Offset = 0,
) -> Response[list[Chat]]:
    """Newest activity first."""
    key = (claimed.user_id, workspace_id, limit, offset)
    cached = context.sidebars.get(key)
    async with context.db.connection() as connection:
        found = await sidebar.of_user(
            connection, claimed, workspace_id, limit=limit + 1, offset=offset, known=cached and cached.stamp
        )
    if found is None:
        raise Unauthenticated("The session has ended: sign in again.")
    if found.chats is not None:
        cached = context.sidebars.put(
            key, found.stamp, msgspec.json.encode(found.chats[:limit]), more=len(found.chats) > limit
        )
    assert cached is not None, "only what is known can be unchanged"
    headers = {"Link": next_link(request, offset=offset + limit)} if cached.more else {}
    page: Response[Any] = Response(cached.body, media_type="application/json", headers=headers)
    return page


@post("/chats", status_code=201, summary="Create a chat", tags=["chats"])
async def create(context: Context, caller: Caller, data: NewChat) -> Response[Chat]:
    """200 with the chat that exists for a Single that was there before."""
    limits = context.settings.limits
    others = tuple(dict.fromkeys(user_id for user_id in data.members if user_id != caller.user_id))
    if len(data.members) > limits.members_at_once:
        raise InvalidRequest(fields={"members": f"may name at most {limits.members_at_once} people at once"})
    if data.name is None and data.type is not ChatType.SINGLE:
        raise InvalidRequest(fields={"name": "is required"})
    plan = ChatPlan(
        type=data.type,
        name=None if data.name is None else check_name("name", data.name, limits.name_chars),
        others=others,
        workspace_id=data.workspace_id,
        description=check_description(data.description),
    )
    chat, is_new = await create_chat(context.db, caller, plan)
    return Response(chat, status_code=201 if is_new else 200)


@get("/chats/public", summary="Channels one may join", tags=["chats"])
async def list_public(
    request: ApiRequest,
    context: Context,
    caller: Caller,
    workspace_id: OptionalId = None,
    q: str = "",
    limit: Limit = PAGE,
    offset: Offset = 0,
) -> Response[list[Chat]]:
    """By name; `q`: in the name. Without `workspace_id`: of all the caller's workspaces."""
    async with context.db.connection() as connection:
        found = await chats.public(
            connection, caller, workspace_id, check_text("q", q, 0, 256), limit=limit + 1, offset=offset
        )
    return listing(request, found, limit, offset)


@get("/chats/{chat_id:int}", summary="One chat", tags=["chats"])
async def get_chat(context: Context, caller: Caller, chat_id: Id) -> Chat:
    async with context.db.connection() as connection:
        chat = await chats.visible_to(connection, caller, chat_id)
    if chat is None:
        raise NotFound
    return chat


@put("/chats/{chat_id:int}", summary="Change a chat", tags=["chats"])
async def update(context: Context, caller: Caller, chat_id: Id, data: ChangedChat) -> Chat:
    """By the chat's admins; of a Single by both."""
    name = data.name
    changes = ChatChanges(
        name=UNSET if name is UNSET else check_name("name", name, context.settings.limits.name_chars),
        description=UNSET if data.description is UNSET else check_description(data.description),
    )
    return await update_chat(context.db, caller, chat_id, changes)


@delete("/chats/{chat_id:int}", summary="Delete a chat, or hide a Single", tags=["chats"])
async def remove(context: Context, caller: Caller, chat_id: Id) -> None:
    """By its owner, with all its messages. A Single is only hidden from the caller's list, until its next message."""
    await delete_chat(context.db, caller, chat_id)


@post("/chats/{chat_id:int}/join", status_code=200, summary="Join a public channel", tags=["chats"])
async def join(context: Context, caller: Caller, chat_id: Id) -> Chat:
    """Joining again changes nothing."""
    return await join_chat(context.db, caller, chat_id)


@post("/chats/{chat_id:int}/leave", status_code=204, summary="Leave a chat", tags=["chats"])
async def leave(context: Context, caller: Caller, chat_id: Id) -> None:
    """The last owner hands over first, unless they are alone. A chat that nobody can get into any more is deleted."""
    await leave_chat(context.db, caller, chat_id)


ROUTES = [list_chats, create, list_public, get_chat, update, remove, join, leave]
