"""Invite people to a workspace."""

from fechatter.domain.errors import Forbidden, NotFound
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.store import invites, workspaces
from fechatter.store.database import Database
from fechatter.store.invites import Invite


async def invite(
    db: Database,
    caller: Caller,
    workspace_id: int,
    *,
    role: WorkspaceRole,
    email: str | None,
    max_uses: int | None,
    expires_in_s: int,
    members_may_invite: bool,
) -> tuple[Invite, str]:
    """Store an invite; return it with its code, which cannot be had again.

    Raises NotFound for a foreign workspace, Forbidden for a role above the caller's or a caller who may not invite.
    """
    async with db.transaction() as tx:
        workspace = await workspaces.get_for(tx, caller.user_id, workspace_id)
        if workspace is None:
            raise NotFound
        needed = WorkspaceRole.MEMBER if members_may_invite else WorkspaceRole.ADMIN
        if workspace.role.rank < needed.rank:
            raise Forbidden("Only owners and admins of the workspace invite people.")
        if role.rank > workspace.role.rank:
            raise Forbidden("Nobody gives a role above their own.")
        return await invites.insert(
            tx,
            workspace_id=workspace_id,
            role=role,
            email=email,
            max_uses=max_uses,
            expires_in_s=expires_in_s,
            created_by=caller.user_id,
        )
