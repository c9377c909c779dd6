"""Leave a chat.

leave_chat        by oneself
leave_all_chats   when someone goes from a workspace
leave_to_successor   one of them
take_out          the change itself, for whoever is allowed to make it
"""

from fechatter.domain.chats import ChatRole, ChatType
from fechatter.domain.errors import NotFound, OwnerRequired
from fechatter.domain.events import Event, EventType, Membership
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_leave
from fechatter.store.chats import chats, members
from fechatter.store.chats.chats import Place
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log


async def leave_chat(db: Database, caller: Caller, chat_id: int) -> None:
    """Take the caller out and tell all; does nothing for a public channel that they are not in.

    A chat that its last member leaves is deleted, but for public channels: anyone may join those.
    Raises NotFound, Forbidden for a Single, OwnerRequired for the last owner of others.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        if place is None:
            raise NotFound
        check_may_leave(place)
        if place.role is not None:
            await check_owner_stays(tx, place, caller.user_id, place.role)
            await take_out(tx, place, caller.user_id, place.role)


async def leave_all_chats(tx: Connection, workspace_id: int, user_id: int) -> None:
    """Take the user out of all chats of the workspace. Those that they alone owned pass to who comes next.

    The two of a Single chat stay in it: what they wrote to each other is the other's too.
    """
    for chat_id in await members.chats_of(tx, user_id, workspace_id):
        place = await chats.lock_for_departure(tx, chat_id, user_id)
        if place is not None and place.role is not None and place.type is not ChatType.SINGLE:
            await leave_to_successor(tx, place, user_id, place.role)


async def leave_to_successor(tx: Connection, place: Place, user_id: int, role: ChatRole) -> None:
    """Take the user out; if they alone owned the chat, who comes next owns it."""
    owned_alone = role is ChatRole.OWNER and not await members.others_own(tx, place.id, user_id)
    await take_out(tx, place, user_id, role)
    heir = await members.successor(tx, place.id) if owned_alone else None
    if heir is not None:
        await members.set_role(tx, place.id, heir, ChatRole.OWNER)
        await event_log.append(tx, [role_changed(place, heir, ChatRole.OWNER)])


async def check_owner_stays(tx: Connection, place: Place, user_id: int, role: ChatRole) -> None:
    """Raise OwnerRequired if `user_id` is the chat's last owner and others are in it."""
    if role is ChatRole.OWNER and place.member_count > 1 and not await members.others_own(tx, place.id, user_id):
        raise OwnerRequired


async def take_out(tx: Connection, place: Place, user_id: int, role: ChatRole) -> None:
    """Remove a member. Their last word of the chat is member.removed on their own stream. The chat's row is held."""
    await members.remove(tx, place.id, user_id)
    removed = Membership(chat_id=place.id, user_id=user_id, role=role)
    hearers = [user_id, None] if place.member_count > 1 else [user_id]
    await event_log.append(tx, [Event.of_chat(place, EventType.MEMBER_REMOVED, removed, to=one) for one in hearers])
    if place.member_count == 1 and place.type is not ChatType.PUBLIC_CHANNEL:
        await chats.delete(tx, place.id)


def role_changed(place: Place, user_id: int, role: ChatRole) -> Event:
    """What the members of the chat hear when one of them has a new role."""
    return Event.of_chat(place, EventType.MEMBER_UPDATED, Membership(chat_id=place.id, user_id=user_id, role=role))
