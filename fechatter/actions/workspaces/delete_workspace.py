"""Delete a workspace with everything in it.

delete_workspace   by an owner
take_down          the change itself
"""

from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound
from fechatter.domain.events import Event, EventType, stream_of_user
from fechatter.domain.people import Caller
from fechatter.domain.workspace_rules import check_may_delete
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log
from fechatter.store.people import sessions
from fechatter.store.workspaces import workspaces


async def delete_workspace(db: Database, caller: Caller, workspace_id: int) -> None:
    """Delete the workspace, its chats, files and invites. Raises NotFound, Forbidden."""
    async with db.transaction() as tx:
        mine = await workspaces.hold_for_deletion(tx, caller.user_id, workspace_id)
        if mine is None:
            raise NotFound
        check_may_delete(mine.role)
        await audit.record(tx, Act.WORKSPACE_DELETED, actor=caller, workspace_id=workspace_id)
        await take_down(tx, workspace_id)


async def take_down(tx: Connection, workspace_id: int) -> None:
    """Delete the workspace and tell each member that they are in it no more: its chats are gone with it."""
    members = await workspaces.all_members(tx, workspace_id)
    await workspaces.delete(tx, workspace_id)
    await event_log.append(
        tx,
        [
            Event(stream=stream_of_user(member.user_id), type=EventType.WORKSPACE_MEMBER_REMOVED, payload=member)
            for member in members
        ],
    )
    await sessions.end_shut_out(tx, [member.user_id for member in members])
