"""Change what one says of oneself."""

from fechatter.actions.workspaces.tell_workspace import tell_of_user
from fechatter.domain.people import Caller, User
from fechatter.store.database import Database
from fechatter.store.people import users
from fechatter.store.people.users import Profile
from fechatter.store.workspaces import workspaces


async def update_profile(db: Database, caller: Caller, profile: Profile) -> User:
    """Store the changes and tell all who can see the user. Raises Conflict for a username that is taken."""
    async with db.transaction() as tx:
        workspace_ids = await workspaces.hold_all_of(tx, caller.user_id)
        user = await users.update(tx, caller.user_id, profile)
        await tell_of_user(tx, user, workspace_ids)
        return user
