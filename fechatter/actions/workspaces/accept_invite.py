"""Come into a workspace by an invite.

accept_invite     by somebody who has an account
enter_by_invite   the change itself, also for somebody who signs up
"""

from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound, Suspended
from fechatter.domain.events import EventType
from fechatter.domain.people import Caller, User, UserStatus, Workspace, WorkspaceRole
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.people import users
from fechatter.store.workspaces import invites, workspaces


async def accept_invite(db: Database, caller: Caller, code: str) -> Workspace:
    """Make the caller a member of the workspace that the code opens; who is one already stays what they are.

    Raises NotFound for an unknown code or one for another address, InviteGone, Suspended.
    """
    async with db.transaction() as tx:
        user = await users.get(tx, caller.user_id)
        if user is None:
            raise NotFound
        workspace_id = await enter_by_invite(tx, user, code)
        await audit.record(tx, Act.INVITE_ACCEPTED, actor=caller, subject_id=caller.user_id, workspace_id=workspace_id)
        await users.note_workspaces(tx, {caller.user_id: workspace_id})
        workspace = await workspaces.get_for(tx, caller.user_id, workspace_id)
        if workspace is None:
            raise NotFound
        return workspace


async def enter_by_invite(tx: Connection, user: User, code: str) -> int:
    """Use the code for `user` and tell the others; returns the workspace's id. Uses nothing up for a member."""
    workspace_id = await invites.hold_workspace(tx, code, user.email)
    if workspace_id is None:
        raise NotFound("This invite does not exist: check the link, or ask for a new one.")
    member = await workspaces.member(tx, workspace_id, user.id)
    if member is not None and member.status is UserStatus.SUSPENDED:
        raise Suspended("You are suspended in this workspace: ask an administrator of it.")
    if member is None:
        await _enter(tx, workspace_id, user, await invites.redeem(tx, code, user.email))
    return workspace_id


async def _enter(tx: Connection, workspace_id: int, user: User, role: WorkspaceRole) -> None:
    member = await workspaces.add_member(tx, workspace_id, user.id, role)
    also = [user.id] if role is WorkspaceRole.GUEST else []
    pos = await tell_workspace(tx, workspace_id, EventType.WORKSPACE_MEMBER_ADDED, member, about=user.id, also=also)
    await workspaces.set_joined(tx, workspace_id, user.id, pos)
