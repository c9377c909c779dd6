"""Change what one says of oneself."""

from fechatter.actions.tell_workspace import tell_of_user
from fechatter.domain.people import Caller, User
from fechatter.store import users, workspaces
from fechatter.store.database import Database
from fechatter.store.users import Profile


async def update_profile(db: Database, caller: Caller, profile: Profile) -> User:
    """Store the changes and tell all who can see the user. Raises Conflict for a username that is taken."""
    async with db.transaction() as tx:
        workspace_ids = await workspaces.hold_all_of(tx, caller.user_id)
        user = await users.update(tx, caller.user_id, profile)
        await tell_of_user(tx, user, workspace_ids)
        return user
