"""Revoke an invite: its code is unknown from then on."""

from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller
from fechatter.domain.workspace_rules import check_may_manage
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.workspaces import invites, workspaces


async def revoke_invite(db: Database, caller: Caller, workspace_id: int, invite_id: int) -> None:
    """By owners, admins, and whoever made it. Raises NotFound, Forbidden."""
    async with db.transaction() as tx:
        mine = await workspaces.hold(tx, caller.user_id, workspace_id)
        if mine is None:
            raise NotFound
        creator_id = await invites.creator_of(tx, workspace_id, invite_id)
        if creator_id != caller.user_id:
            check_may_manage(mine.role)
        if creator_id is None:
            raise NotFound
        await invites.delete(tx, workspace_id, invite_id)
        await audit.record(
            tx, Act.INVITE_REVOKED, actor=caller, subject_id=creator_id, workspace_id=workspace_id, invite=invite_id
        )
