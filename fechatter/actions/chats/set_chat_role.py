"""Give someone a role in a chat; hand it over."""

from fechatter.actions.chats.leave_chat import role_changed
from fechatter.domain.chats import ChatMember, ChatRole
from fechatter.domain.errors import NotFound, OwnerRequired
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_set_role
from fechatter.store.chats import chats, members
from fechatter.store.chats.chats import Place
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log


async def set_chat_role(db: Database, caller: Caller, chat_id: int, user_id: int, role: ChatRole) -> ChatMember:
    """Set the role of a member and tell all. An owner who makes another the owner hands over, and is an admin then.

    Raises NotFound for a chat or member that is not there, Forbidden, OwnerRequired if no owner would be left.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        if place is None:
            raise NotFound
        before = await members.role_of(tx, chat_id, user_id)
        if before is None:
            raise NotFound
        check_may_set_role(place, role, own=user_id == caller.user_id)
        if role is not before:
            await _set(tx, place, caller, {user_id: role}, before)
        [member] = await members.named(tx, chat_id, [user_id])
        return member


async def _set(tx: Connection, place: Place, caller: Caller, roles: dict[int, ChatRole], before: ChatRole) -> None:
    [(user_id, role)] = roles.items()
    if role is ChatRole.OWNER:
        roles[caller.user_id] = ChatRole.ADMIN
    elif before is ChatRole.OWNER and not await members.others_own(tx, place.id, user_id):
        raise OwnerRequired
    for changed, new in roles.items():
        await members.set_role(tx, place.id, changed, new)
    await event_log.append(tx, [role_changed(place, changed, new) for changed, new in roles.items()])
