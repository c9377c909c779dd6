"""Invites: /api/workspaces/{id}/invites for those who give them, /api/invites/{code}/accept for those who got one."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post

from fechatter.actions.workspaces.accept_invite import accept_invite
from fechatter.actions.workspaces.invite import invite
from fechatter.actions.workspaces.revoke_invite import revoke_invite
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller, Workspace, WorkspaceRole
from fechatter.domain.text import check_email, check_text
from fechatter.domain.workspace_rules import check_may_manage
from fechatter.server.auth import ApiRequest, device_of
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, listing
from fechatter.store.workspaces import invites, workspaces
from fechatter.store.workspaces.invites import Invite

WEEK_S = 7 * 24 * 3600
CODE_CHARS = 512


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


@get("/workspaces/{workspace_id:int}/invites", summary="Invites of a workspace", tags=["workspaces"])
async def list_invites(
    request: ApiRequest, context: Context, caller: Caller, workspace_id: Id, limit: Limit = PAGE, offset: Offset = 0
) -> Response[list[Invite]]:
    """For owners and admins, the newest first, also spent and expired ones; without their codes."""
    async with context.db.connection() as connection:
        workspace = await workspaces.get_for(connection, caller.user_id, workspace_id)
        if workspace is None:
            raise NotFound
        check_may_manage(workspace.role)
        found = await invites.list_(connection, workspace_id, limit=limit + 1, offset=offset)
    return listing(request, found, limit, offset)


@delete(
    "/workspaces/{workspace_id:int}/invites/{invite_id:int}",
    status_code=204,
    summary="Revoke an invite",
    tags=["workspaces"],
)
async def delete_invite(context: Context, caller: Caller, workspace_id: Id, invite_id: Id) -> None:
    """By owners, admins, and whoever made it. From then on its code is unknown."""
    await revoke_invite(context.db, caller, workspace_id, invite_id)


@post("/invites/{code:str}/accept", status_code=200, summary="Accept an invite", tags=["workspaces"])
async def accept(request: ApiRequest, context: Context, caller: Caller, code: str) -> Workspace:
    """404 for an unknown code or one for another address, 410 for a spent or expired one. Members use nothing up."""
    await context.limits.open_invite(device_of(request).address)
    return await accept_invite(context.db, caller, check_text("code", code, 1, CODE_CHARS))


ROUTES = [create_invite, list_invites, delete_invite, accept]
