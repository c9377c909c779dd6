"""Make an account that owns a workspace, by the operator."""

from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.workspaces.tell_workspace import tell_workspace
from fechatter.domain.audit import Act
from fechatter.domain.errors import OperatorError
from fechatter.domain.events import EventType
from fechatter.domain.people import User, Workspace, WorkspaceRole
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.people import users
from fechatter.store.workspaces import workspaces


async def create_admin(
    db: Database, passwords: Passwords, *, email: str, fullname: str, password: str, workspace: str | None
) -> tuple[User, Workspace]:
    """Store the user as an owner of `workspace`: an id, or the name of a new one; None: the only one there is.

    Raises EmailTaken, OperatorError for a workspace that is not there or not clear.
    """
    password_hash = await passwords.hash(password)
    async with db.transaction() as tx:
        workspace_id = await find_workspace(tx, workspace)
        user = await users.insert(tx, email=email, fullname=fullname, password_hash=password_hash)
        if workspace_id is None:
            made = await workspaces.insert(tx, name=workspace or fullname, description=None, owner_id=user.id)
            workspace_id = made.id
        else:
            owner = await workspaces.add_member(tx, workspace_id, user.id, WorkspaceRole.OWNER)
            await tell_workspace(tx, workspace_id, EventType.WORKSPACE_MEMBER_ADDED, owner, about=user.id)
        await audit.record(tx, Act.ADMIN_CREATED, actor=None, subject_id=user.id, workspace_id=workspace_id)
        owned = await workspaces.get_for(tx, user.id, workspace_id)
        assert owned is not None
        return user, owned


async def find_workspace(tx: Connection, wanted: str | None) -> int | None:
    """The workspace of that id, or the only one there is, held; None: there is none yet, or `wanted` is a new name.

    Raises OperatorError for an id that does not exist, or if it is not clear which one is meant.
    """
    by_id = int(wanted) if wanted is not None and wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
    if wanted is not None and by_id is None:
        return None
    found = await workspaces.hold_some(tx, by_id, at_most=2)
    if by_id is not None and not found:
        raise OperatorError(f"There is no workspace {by_id}.")
    if len(found) > 1:
        raise OperatorError("There are several workspaces: choose one with --workspace ID.")
    return found[0] if found else None
