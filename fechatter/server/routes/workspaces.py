"""/api/workspaces: the caller's workspaces, their members, their invites."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post

from fechatter.actions.invite import invite
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller, Workspace, WorkspaceMember, WorkspaceRole
from fechatter.domain.text import check_email
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import WHOLE, Id, Limit, Offset, listing
from fechatter.store import workspaces

WEEK_S = 7 * 24 * 3600


class NewInvite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`expires_in` in seconds; `max_uses` null: any number; `email`: good for that address only."""

    role: WorkspaceRole = WorkspaceRole.MEMBER
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=365 * 24 * 3600)] = WEEK_S
    max_uses: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    email: str | None = None


class CreatedInvite(msgspec.Struct, frozen=True, kw_only=True):
    """An invite with its `code`, which is shown only here, and the address that leads to sign-up with it."""

    id: int
    code: str
    url: str
    workspace_id: int
    role: WorkspaceRole
    email: str | None
    max_uses: int | None
    uses: int
    expires_at: datetime
    created_by: int
    created_at: datetime


@get("/workspaces", summary="My workspaces", tags=["workspaces"])
async def list_workspaces(context: Context, caller: Caller) -> list[Workspace]:
    async with context.db.connection() as connection:
        return list(await workspaces.of_user(connection, caller.user_id))


@get("/workspaces/{workspace_id:int}/members", summary="Members of a workspace", tags=["workspaces"])
async def list_members(
    request: ApiRequest, context: Context, caller: Caller, workspace_id: Id, limit: Limit = None, offset: Offset = 0
) -> Response[list[WorkspaceMember]]:
    async with context.db.connection() as connection:
        if await workspaces.get_for(connection, caller.user_id, workspace_id) is None:
            raise NotFound
        found = await workspaces.members(
            connection, caller.user_id, workspace_id, limit=(limit or WHOLE) + 1, offset=offset
        )
    return listing(request, found, limit, offset)


@post("/workspaces/{workspace_id:int}/invites", status_code=201, summary="Invite people", tags=["workspaces"])
async def create_invite(
    request: ApiRequest, context: Context, caller: Caller, workspace_id: Id, data: NewInvite
) -> CreatedInvite:
    """By owners and admins. Nobody gives a role above their own."""
    created, code = await invite(
        context.db,
        caller,
        workspace_id,
        role=data.role,
        email=None if data.email is None else check_email("email", data.email),
        max_uses=data.max_uses,
        expires_in_s=data.expires_in,
        members_may_invite=context.settings.invites.members_may_invite,
    )
    base = context.settings.server.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return CreatedInvite(code=code, url=f"{base}/invite/{code}", **msgspec.structs.asdict(created))


ROUTES = [list_workspaces, list_members, create_invite]
