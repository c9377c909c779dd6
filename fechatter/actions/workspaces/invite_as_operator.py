"""Invite people to a workspace from the command line, in the name of an owner."""

from fechatter.actions.identity.create_admin import find_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import OperatorError
from fechatter.domain.people import WorkspaceRole
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.workspaces import invites, workspaces
from fechatter.store.workspaces.invites import Invite


async def invite_as_operator(
    db: Database,
    *,
    workspace: int | None,
    role: WorkspaceRole,
    email: str | None,
    max_uses: int | None,
    expires_in_s: int,
) -> tuple[Invite, str]:
    """Store an invite to a workspace (None: the only one there is); return it with its code. Raises OperatorError."""
    async with db.transaction() as tx:
        workspace_id = await find_workspace(tx, None if workspace is None else str(workspace))
        if workspace_id is None:
            raise OperatorError("There is no workspace yet: the first one to sign up makes it.")
        owner_id = await workspaces.first_owner(tx, workspace_id)
        if owner_id is None:
            raise OperatorError(f"Workspace {workspace_id} has no active owner in whose name to invite.")
        made, code = await invites.insert(
            tx,
            workspace_id=workspace_id,
            role=role,
            email=email,
            max_uses=max_uses,
            expires_in_s=expires_in_s,
            created_by=owner_id,
        )
        await audit.record(
            tx, Act.INVITE_CREATED, actor=None, workspace_id=workspace_id, invite=made.id, role=role.value
        )
        return made, code
