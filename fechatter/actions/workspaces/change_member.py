"""Change what somebody is in a workspace: their role, and whether they are suspended in it."""

import msgspec

from fechatter.actions.workspaces.suspend_member import put_back, set_aside
from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound, OwnerRequired
from fechatter.domain.events import EventType
from fechatter.domain.people import Caller, UserStatus, Workspace, WorkspaceMember, WorkspaceRole
from fechatter.domain.workspace_rules import check_may_set
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.workspaces import invites, workspaces


async def change_member(
    db: Database,
    caller: Caller,
    workspace_id: int,
    user_id: int,
    role: WorkspaceRole | None,
    status: UserStatus | None,
) -> WorkspaceMember:
    """Change a member and tell all; None stays as it is. Who is suspended leaves the chats, and returns to them after.

    Raises NotFound, Forbidden, OwnerRequired for the last owner.
    """
    async with db.transaction() as tx:
        mine, member = await hold_member(tx, caller, workspace_id, user_id)
        changed = msgspec.structs.replace(member, role=role or member.role, status=status or member.status)
        check_may_set(mine.role, caller.user_id, member, changed.role, changed.status)
        if changed == member:
            return member
        if _owns(member) and not _owns(changed) and not (await workspaces.others(tx, workspace_id, user_id)).owners:
            raise OwnerRequired
        await _change(tx, member, changed)
        await _record(tx, caller, member, changed)
        return changed


async def hold_member(
    tx: Connection, caller: Caller, workspace_id: int, user_id: int
) -> tuple[Workspace, WorkspaceMember]:
    """The workspace as the caller sees it and a member whom they see, against changes. Raises NotFound."""
    mine = await workspaces.hold(tx, caller.user_id, workspace_id)
    member = await workspaces.member(tx, workspace_id, user_id)
    if mine is None or member is None or not await workspaces.knows(tx, mine, caller.user_id, user_id):
        raise NotFound
    return mine, member


def _owns(member: WorkspaceMember) -> bool:
    return member.role is WorkspaceRole.OWNER and member.status is UserStatus.ACTIVE


async def _change(tx: Connection, member: WorkspaceMember, changed: WorkspaceMember) -> None:
    workspace_id, user_id = member.workspace_id, member.user_id
    await workspaces.set_standing(tx, workspace_id, user_id, changed.role, changed.status)
    if changed.status is not member.status or WorkspaceRole.GUEST in (member.role, changed.role):
        also = [user_id]  # not on the workspace's stream, or not for long
    else:
        also = []
    if changed.status is UserStatus.SUSPENDED and member.status is UserStatus.ACTIVE:
        await set_aside(tx, workspace_id, user_id)
    await invites.delete_of(tx, workspace_id, user_id, keep=_still_given(changed))
    pos = await tell_workspace(tx, workspace_id, EventType.WORKSPACE_MEMBER_UPDATED, changed, about=user_id, also=also)
    if _hears(changed) and not _hears(member):
        await workspaces.set_joined(tx, workspace_id, user_id, pos)
    if changed.status is UserStatus.ACTIVE and member.status is UserStatus.SUSPENDED:
        await put_back(tx, workspace_id, user_id)


def _hears(member: WorkspaceMember) -> bool:
    """Whether the workspace's stream is theirs to hear."""
    return member.status is UserStatus.ACTIVE and member.role is not WorkspaceRole.GUEST


def _still_given(member: WorkspaceMember) -> list[WorkspaceRole]:
    """The roles that invites of this member may go on to give."""
    if member.status is UserStatus.SUSPENDED or member.role is WorkspaceRole.GUEST:
        return []
    return [role for role in WorkspaceRole if role.rank <= member.role.rank]


async def _record(tx: Connection, caller: Caller, member: WorkspaceMember, changed: WorkspaceMember) -> None:
    async def record(act: Act, **detail: str) -> None:
        subject_id, workspace_id = member.user_id, member.workspace_id
        await audit.record(tx, act, actor=caller, subject_id=subject_id, workspace_id=workspace_id, **detail)

    if changed.role is not member.role:
        await record(Act.MEMBER_ROLE_CHANGED, before=member.role.value, after=changed.role.value)
    if changed.status is not member.status:
        suspended = changed.status is UserStatus.SUSPENDED
        await record(Act.MEMBER_SUSPENDED if suspended else Act.MEMBER_READMITTED)
