"""Invite people to a workspace."""

from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.workspace_rules import check_may_invite
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.workspaces import invites, workspaces
from fechatter.store.workspaces.invites import Invite


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
        workspace = await workspaces.hold(tx, caller.user_id, workspace_id)
        if workspace is None:
            raise NotFound
        check_may_invite(workspace.role, role, members_may_invite=members_may_invite)
        made, code = await invites.insert(
            tx,
            workspace_id=workspace_id,
            role=role,
            email=email,
            max_uses=max_uses,
            expires_in_s=expires_in_s,
            created_by=caller.user_id,
        )
        await audit.record(
            tx, Act.INVITE_CREATED, actor=caller, workspace_id=workspace_id, invite=made.id, role=role.value
        )
        return made, code
