"""Add people to a chat.

add_members   by an admin of the chat
put_in        the change itself, for whoever is allowed to make it
tell_of_newcomers   what all hear of it
"""

from collections.abc import Mapping, Sequence

import msgspec

from fechatter.domain.chats import Chat, ChatMember, ChatRole
from fechatter.domain.errors import InvalidRequest, NotFound
from fechatter.domain.events import Event, EventType, Membership
from fechatter.domain.people import Caller, WorkspaceRole
from fechatter.domain.permissions import check_may_add
from fechatter.store.chats import chats, members
from fechatter.store.chats.chats import Place
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log
from fechatter.store.workspaces import workspaces


async def add_members(db: Database, caller: Caller, chat_id: int, user_ids: Sequence[int]) -> Sequence[ChatMember]:
    """Put people into the chat and tell all; return all of `user_ids` as members, also those that were in it.

    Raises NotFound, Forbidden, and InvalidRequest if any is not in the workspace: then nobody is added.
    """
    async with db.transaction() as tx:
        place = await chats.lock_with_workspace(tx, caller, chat_id)
        if place is None:
            raise NotFound
        check_may_add(place)
        await check_known(tx, caller, place.workspace_id, place.workspace_role, "user_ids", user_ids)
        await put_in(tx, caller, place, dict.fromkeys(user_ids, ChatRole.MEMBER))
        return await members.named(tx, chat_id, user_ids)


async def check_known(
    tx: Connection, caller: Caller, workspace_id: int, role: WorkspaceRole, field: str, user_ids: Sequence[int]
) -> None:
    """Raise InvalidRequest unless all are active in the workspace and, for a guest, share a chat with the guest."""
    found = await workspaces.active_among(tx, workspace_id, user_ids)
    if role is WorkspaceRole.GUEST:
        found &= {caller.user_id} | await members.share_a_chat(tx, caller.user_id, user_ids, workspace_id)
    if unknown := sorted(set(user_ids) - found):
        raise InvalidRequest(fields={field: f"not in this workspace: {', '.join(map(str, unknown[:10]))}"})


async def put_in(tx: Connection, caller: Caller, place: Place, roles: Mapping[int, ChatRole]) -> None:
    """Make people members, with nothing unread; those who are keep their role. The chat's row is held.

    Each newcomer hears chat.created on their own stream, then the chat's stream from their own member.added on.
    """
    added = await members.add(tx, place.id, place.workspace_id, roles, place.last_seq)
    if not added:
        return
    chat = await chats.visible_to(tx, caller, place.id)
    if chat is None:
        raise NotFound
    await tell_of_newcomers(tx, chat, {user_id: roles[user_id] for user_id in added})


async def tell_of_newcomers(tx: Connection, chat: Chat, roles: Mapping[int, ChatRole]) -> None:
    """Append what the members and the newcomers hear of those who have just been put in. `chat` counts them."""
    told = [_added(chat, user_id, role) for user_id, role in roles.items()]
    created = [_created(chat, user_id, len(roles) - n) for n, user_id in enumerate(roles)]
    positions = await event_log.append(tx, [*told, *created])
    await members.set_joined(tx, chat.id, dict(zip(roles, positions, strict=False)))


def _added(chat: Chat, user_id: int, role: ChatRole) -> Event:
    return Event.of_chat(chat, EventType.MEMBER_ADDED, Membership(chat_id=chat.id, user_id=user_id, role=role))


def _created(chat: Chat, user_id: int, still_to_come: int) -> Event:
    """The chat as it is just before this one's own member.added: counting on from there gives the true count."""
    before = msgspec.structs.replace(chats.for_newcomer(chat), member_count=chat.member_count - still_to_come)
    return Event.of_chat(chat, EventType.CHAT_CREATED, before, to=user_id)
