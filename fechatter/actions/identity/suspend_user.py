"""Keep somebody out everywhere, by the operator, and let them in again.

Their places in workspaces and chats stay: nothing lets them use these while they are suspended.
"""

from fechatter.actions.workspaces.tell_workspace import tell_of_user
from fechatter.domain.audit import Act
from fechatter.domain.errors import OperatorError
from fechatter.domain.people import User, UserStatus
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.people import users
from fechatter.store.workspaces import workspaces


async def suspend_user(db: Database, email: str, status: UserStatus) -> User:
    """Suspend somebody or make them active, and tell all who see them. Takes effect at once, on open streams too.

    Raises OperatorError for an unknown address.
    """
    async with db.transaction() as tx:
        user = await users.by_email(tx, email)
        if user is None:
            raise OperatorError(f"Nobody has the address {email}.")
        workspace_ids = await workspaces.hold_all_of(tx, user.id)
        changed = await users.set_status(tx, user.id, status)
        if changed is None:
            return user
        await tell_of_user(tx, changed, workspace_ids)
        act = Act.USER_SUSPENDED if status is UserStatus.SUSPENDED else Act.USER_READMITTED
        await audit.record(tx, act, actor=None, subject_id=user.id)
        return changed
