"""Create a workspace."""

from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.events import EventType
from fechatter.domain.people import Caller, Workspace
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.people import users
from fechatter.store.workspaces import workspaces


async def create_workspace(db: Database, caller: Caller, name: str, description: str | None) -> Workspace:
    """Store a workspace that the caller owns, and tell the caller's other devices."""
    async with db.transaction() as tx:
        workspace = await workspaces.insert(tx, name=name, description=description, owner_id=caller.user_id)
        owner = await workspaces.member(tx, workspace.id, caller.user_id)
        assert owner is not None
        await tell_workspace(tx, workspace.id, EventType.WORKSPACE_MEMBER_ADDED, owner, about=caller.user_id)
        await users.note_workspaces(tx, {caller.user_id: workspace.id})
        await audit.record(tx, Act.WORKSPACE_CREATED, actor=caller, workspace_id=workspace.id)
        return workspace
