"""/api/chats/{id}/members: who is in a chat, and in which role."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post

from fechatter.actions.chats.add_members import add_members
from fechatter.actions.chats.remove_member import remove_member
from fechatter.actions.chats.set_chat_role import set_chat_role
from fechatter.domain.chats import ChatMember, ChatRole
from fechatter.domain.errors import InvalidRequest, NotFound
from fechatter.domain.ids import RowId
from fechatter.domain.people import Caller
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, listing
from fechatter.store.chats import chats, members


class NewMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People of the chat's workspace."""

    user_ids: Annotated[list[RowId], msgspec.Meta(min_length=1)]


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: ChatRole


@get("/chats/{chat_id:int}/members", summary="Members of a chat", tags=["chat members"])
async def list_members(
    request: ApiRequest, context: Context, caller: Caller, chat_id: Id, limit: Limit = PAGE, offset: Offset = 0
) -> Response[list[ChatMember]]:
    """Owners, admins, then the rest, each in the order of joining."""
    async with context.db.connection() as connection:
        if await chats.standing(connection, caller, chat_id) is None:
            raise NotFound
        found = await members.list_(connection, chat_id, limit=limit + 1, offset=offset)
    return listing(request, found, limit, offset)


@post("/chats/{chat_id:int}/members", status_code=201, summary="Add people to a chat", tags=["chat members"])
async def add(context: Context, caller: Caller, chat_id: Id, data: NewMembers) -> list[ChatMember]:
    """By the chat's admins: all or none. Answers with all who were named, also those who were in the chat."""
    most = context.settings.limits.members_at_once
    if len(data.user_ids) > most:
        raise InvalidRequest(fields={"user_ids": f"may name at most {most} people at once"})
    return list(await add_members(context.db, caller, chat_id, list(dict.fromkeys(data.user_ids))))


@delete("/chats/{chat_id:int}/members/{user_id:int}", summary="Remove someone from a chat", tags=["chat members"])
async def remove(context: Context, caller: Caller, chat_id: Id, user_id: Id) -> None:
    """Admins remove members, the owner anyone. Naming oneself is leaving."""
    await remove_member(context.db, caller, chat_id, user_id)


@patch("/chats/{chat_id:int}/members/{user_id:int}", summary="Give someone a role in a chat", tags=["chat members"])
async def set_role(context: Context, caller: Caller, chat_id: Id, user_id: Id, data: NewRole) -> ChatMember:
    """By the owner. Making another the owner hands the chat over: the caller is an admin then. Anyone may step down."""
    return await set_chat_role(context.db, caller, chat_id, user_id, data.role)


ROUTES = [list_members, add, remove, set_role]
