"""Go from a workspace, by oneself or by an admin's hand.

A member who comes back later by an invite is a newcomer, but for Single chats, which keep their two.
"""

from fechatter.actions.chats.leave_chat import leave_all_chats
from fechatter.actions.workspaces.change_member import hold_member
from fechatter.actions.workspaces.delete_workspace import take_down
from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import OwnerRequired
from fechatter.domain.events import EventType
from fechatter.domain.people import Caller, UserStatus, WorkspaceMember, WorkspaceRole
from fechatter.domain.workspace_rules import check_may_remove
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.people import sessions, suspensions
from fechatter.store.workspaces import invites, workspaces


async def leave_workspace(db: Database, caller: Caller, workspace_id: int, user_id: int) -> None:
    """Take the user out of the workspace and its chats, and tell all. Naming oneself is leaving.

    A workspace that its last member leaves is deleted. Raises NotFound, Forbidden, OwnerRequired.
    """
    async with db.transaction() as tx:
        mine, member = await hold_member(tx, caller, workspace_id, user_id)
        leaving = user_id == caller.user_id
        if not leaving:
            check_may_remove(mine.role, member)
        left = await workspaces.others(tx, workspace_id, user_id)
        owns = member.role is WorkspaceRole.OWNER and member.status is UserStatus.ACTIVE
        if owns and not left.owners and left.members:
            raise OwnerRequired
        act = Act.MEMBER_LEFT if leaving else Act.MEMBER_REMOVED
        await audit.record(tx, act, actor=caller, subject_id=user_id, workspace_id=workspace_id)
        if left.members:
            await _take_out(tx, member)
        else:
            await take_down(tx, workspace_id)


async def _take_out(tx: Connection, member: WorkspaceMember) -> None:
    """Out of the chats first: guests who shared one hear that the member is gone."""
    workspace_id, user_id = member.workspace_id, member.user_id
    guests = await workspaces.guests(tx, workspace_id, user_id)
    await leave_all_chats(tx, workspace_id, user_id)
    await suspensions.forget(tx, workspace_id, user_id)
    await invites.delete_of(tx, workspace_id, user_id)
    await workspaces.remove_member(tx, workspace_id, user_id)
    await tell_workspace(
        tx, workspace_id, EventType.WORKSPACE_MEMBER_REMOVED, member, about=user_id, also=[*guests, user_id]
    )
    await sessions.end_shut_out(tx, [user_id])
