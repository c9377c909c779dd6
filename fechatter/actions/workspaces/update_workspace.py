"""Change a workspace's name and description."""

import msgspec

from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound
from fechatter.domain.events import EventType
from fechatter.domain.people import Caller, SharedWorkspace, Workspace
from fechatter.domain.workspace_rules import check_may_change
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.workspaces import workspaces

Given = str | msgspec.UnsetType


async def update_workspace(
    db: Database, caller: Caller, workspace_id: int, name: Given, description: Given | None
) -> Workspace:
    """Store the changes and tell all members; UNSET stays as it is. Raises NotFound, Forbidden."""
    async with db.transaction() as tx:
        before = await workspaces.hold(tx, caller.user_id, workspace_id)
        if before is None:
            raise NotFound
        check_may_change(before.role)
        await workspaces.update(
            tx,
            workspace_id,
            name=before.name if name is msgspec.UNSET else name,
            description=before.description if description is msgspec.UNSET else description,
        )
        workspace = await workspaces.get_for(tx, caller.user_id, workspace_id)
        assert workspace is not None
        await tell_workspace(tx, workspace_id, EventType.WORKSPACE_UPDATED, SharedWorkspace.of(workspace))
        await audit.record(tx, Act.WORKSPACE_CHANGED, actor=caller, workspace_id=workspace_id)
        return workspace
