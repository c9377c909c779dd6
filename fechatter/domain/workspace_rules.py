"""Who may do what in a workspace. Each rule is one function that returns or raises Forbidden, with a sentence.

check_may_change     name and description
check_may_delete     all of it
check_may_invite     people, to a role
check_may_manage     invites of others
check_may_set        the role and status of a member
check_may_remove     a member
"""

from fechatter.domain.errors import Forbidden
from fechatter.domain.people import UserStatus, WorkspaceMember, WorkspaceRole


def check_may_change(mine: WorkspaceRole) -> None:
    _need(mine, WorkspaceRole.ADMIN, "Only owners and admins of the workspace change it.")


def check_may_delete(mine: WorkspaceRole) -> None:
    _need(mine, WorkspaceRole.OWNER, "Only an owner deletes the workspace.")


def check_may_invite(mine: WorkspaceRole, role: WorkspaceRole, *, members_may_invite: bool) -> None:
    needed = WorkspaceRole.MEMBER if members_may_invite else WorkspaceRole.ADMIN
    _need(mine, needed, "Only owners and admins of the workspace invite people.")
    _need(mine, role, "Nobody gives a role above their own.")


def check_may_manage(mine: WorkspaceRole) -> None:
    _need(mine, WorkspaceRole.ADMIN, "Only owners and admins of the workspace manage its invites.")


def check_may_set(
    mine: WorkspaceRole, my_id: int, member: WorkspaceMember, role: WorkspaceRole, status: UserStatus
) -> None:
    """Admins change those who are not above them, to no more than they are; nobody suspends themselves."""
    _need(mine, WorkspaceRole.ADMIN, "Only owners and admins of the workspace change its members.")
    _need(mine, member.role, "Only an owner changes an owner.")
    _need(mine, role, "Nobody gives a role above their own.")
    if member.user_id == my_id and status is UserStatus.SUSPENDED:
        raise Forbidden("Nobody suspends themselves.")


def check_may_remove(mine: WorkspaceRole, member: WorkspaceMember) -> None:
    _need(mine, WorkspaceRole.ADMIN, "Only owners and admins of the workspace remove members.")
    _need(mine, member.role, "Only an owner removes an owner.")


def _need(mine: WorkspaceRole, least: WorkspaceRole, sentence: str) -> None:
    if mine.rank < least.rank:
        raise Forbidden(sentence)
