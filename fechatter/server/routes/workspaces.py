"""/api/workspaces: the caller's workspaces and who is in them."""

import msgspec
from litestar import Response, delete, get, patch, post, put

from fechatter.actions.workspaces.change_member import change_member
from fechatter.actions.workspaces.create_workspace import create_workspace
from fechatter.actions.workspaces.delete_workspace import delete_workspace
from fechatter.actions.workspaces.leave_workspace import leave_workspace
from fechatter.actions.workspaces.update_workspace import update_workspace
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller, UserStatus, Workspace, WorkspaceMember, WorkspaceRole
from fechatter.domain.text import check_description, check_name
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, listing
from fechatter.store.workspaces import workspaces


class NewWorkspace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    description: str | None = None


class WorkspaceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET


class MemberChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. `status`: Suspended keeps the member out of this workspace until it is Active again."""

    role: WorkspaceRole | None = None
    status: UserStatus | None = None


@get("/workspaces", summary="My workspaces", tags=["workspaces"])
async def list_workspaces(context: Context, caller: Caller) -> list[Workspace]:
    async with context.db.connection() as connection:
        return list(await workspaces.of_user(connection, caller.user_id))


@post("/workspaces", status_code=201, summary="Create a workspace", tags=["workspaces"])
async def create(context: Context, caller: Caller, data: NewWorkspace) -> Workspace:
    """The caller owns it. Names need not be unique."""
    name = check_name("name", data.name, context.settings.limits.name_chars)
    return await create_workspace(context.db, caller, name, check_description(data.description))


@put("/workspaces/{workspace_id:int}", summary="Change a workspace", tags=["workspaces"])
async def update(context: Context, caller: Caller, workspace_id: Id, data: WorkspaceChange) -> Workspace:
    """By owners and admins."""
    name, description = data.name, data.description
    return await update_workspace(
        context.db,
        caller,
        workspace_id,
        name if name is msgspec.UNSET else check_name("name", name, context.settings.limits.name_chars),
        description if description is msgspec.UNSET else check_description(description),
    )


@delete("/workspaces/{workspace_id:int}", status_code=204, summary="Delete a workspace", tags=["workspaces"])
async def remove(context: Context, caller: Caller, workspace_id: Id) -> None:
    """By an owner, with its chats, messages, files and invites."""
    await delete_workspace(context.db, caller, workspace_id)


@get("/workspaces/{workspace_id:int}/members", summary="Members of a workspace", tags=["workspaces"])
async def list_members(
    request: ApiRequest, context: Context, caller: Caller, workspace_id: Id, limit: Limit = PAGE, offset: Offset = 0
) -> Response[list[WorkspaceMember]]:
    async with context.db.connection() as connection:
        if await workspaces.get_for(connection, caller.user_id, workspace_id) is None:
            raise NotFound
        found = await workspaces.members(connection, caller.user_id, workspace_id, limit=limit + 1, offset=offset)
    return listing(request, found, limit, offset)


@patch("/workspaces/{workspace_id:int}/members/{user_id:int}", summary="Change a member", tags=["workspaces"])
async def update_member(
    context: Context, caller: Caller, workspace_id: Id, user_id: Id, data: MemberChange
) -> WorkspaceMember:
    """By owners and admins: nobody changes those above them or gives a role above their own."""
    return await change_member(context.db, caller, workspace_id, user_id, data.role, data.status)


@delete(
    "/workspaces/{workspace_id:int}/members/{user_id:int}",
    status_code=204,
    summary="Remove a member, or leave",
    tags=["workspaces"],
)
async def remove_member(context: Context, caller: Caller, workspace_id: Id, user_id: Id) -> None:
    """By owners and admins, or by oneself. 409 for the last owner, unless nobody else is there: then it is deleted."""
    await leave_workspace(context.db, caller, workspace_id, user_id)


ROUTES = [list_workspaces, create, update, remove, list_members, update_member, remove_member]
