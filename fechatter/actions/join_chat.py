"""Join a public channel."""

from fechatter.domain.chats import Chat, ChatRole, ChatType
from fechatter.domain.errors import Forbidden, NotFound
from fechatter.domain.events import Event, EventType, Membership, stream_of_chat, stream_of_user
from fechatter.domain.people import Caller
from fechatter.store import chats, event_log, members
from fechatter.store.database import Connection, Database


async def join_chat(db: Database, caller: Caller, chat_id: int) -> Chat:
    """Make the caller a member and tell all; joining again changes nothing.

    Raises NotFound for what the caller does not see, Forbidden for a chat that is not joined but invited to.
    """
    async with db.transaction() as tx:
        locked = await chats.lock(tx, caller, chat_id)
        if locked is None:
            raise NotFound
        if locked.chat_role is None and locked.type is not ChatType.PUBLIC_CHANNEL:
            raise Forbidden
        added = await members.add(
            tx, locked.id, locked.workspace_id, {caller.user_id: ChatRole.MEMBER}, locked.last_seq
        )
        chat = await chats.visible_to(tx, caller, chat_id)
        if chat is None:
            raise NotFound
        await tell_of_members(tx, chat, dict.fromkeys(added, ChatRole.MEMBER))
        return chat


async def tell_of_members(tx: Connection, chat: Chat, roles: dict[int, ChatRole]) -> None:
    """Append member.added for each newcomer to the chat's stream, and chat.created to their own."""
    if not roles:
        return
    added = [
        Event(
            stream=stream_of_chat(chat.id),
            type=EventType.MEMBER_ADDED,
            payload=Membership(chat_id=chat.id, user_id=user_id, role=role),
            workspace_id=chat.workspace_id,
            chat_id=chat.id,
        )
        for user_id, role in roles.items()
    ]
    payload = chats.for_newcomer(chat)
    created = [
        Event(
            stream=stream_of_user(user_id),
            type=EventType.CHAT_CREATED,
            payload=payload,
            workspace_id=chat.workspace_id,
            chat_id=chat.id,
        )
        for user_id in roles
    ]
    positions = await event_log.append(tx, [*added, *created])
    await members.set_joined(tx, chat.id, dict(zip(roles, positions, strict=False)))
