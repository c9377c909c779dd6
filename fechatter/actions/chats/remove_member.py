"""Remove someone from a chat."""

from fechatter.actions.chats.leave_chat import check_owner_stays, take_out
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_leave, check_may_remove
from fechatter.store.chats import chats, members
from fechatter.store.database import Database


async def remove_member(db: Database, caller: Caller, chat_id: int, user_id: int) -> None:
    """Take a member out and tell all. Naming oneself is leaving.

    Raises NotFound for a chat or member that is not there, Forbidden, OwnerRequired.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        if place is None:
            raise NotFound
        role = await members.role_of(tx, chat_id, user_id)
        if role is None:
            raise NotFound
        if user_id == caller.user_id:
            check_may_leave(place)
        else:
            check_may_remove(place, role)
        await check_owner_stays(tx, place, user_id, role)
        await take_out(tx, place, user_id, role)
