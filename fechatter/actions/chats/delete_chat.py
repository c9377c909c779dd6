"""Delete a chat for all, or hide a Single for oneself."""

from collections.abc import Sequence

from fechatter.domain.chats import Chat, ChatType
from fechatter.domain.errors import NotFound
from fechatter.domain.events import Event, EventType
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_delete
from fechatter.store.chats import chats, members
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log


async def delete_chat(db: Database, caller: Caller, chat_id: int) -> None:
    """Delete the chat and tell each member; a Single is hidden from the caller's list until its next message.

    Raises NotFound, Forbidden.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        chat = await chats.visible_to(tx, caller, chat_id)
        if place is None or chat is None:
            raise NotFound
        if place.type is ChatType.SINGLE:
            if await members.hide(tx, chat_id, caller.user_id):
                await _tell(tx, chat, [caller.user_id])
            return
        check_may_delete(place)
        everyone = await members.ids(tx, chat_id)
        await chats.delete(tx, chat_id)
        await _tell(tx, chat, everyone)


async def _tell(tx: Connection, chat: Chat, user_ids: Sequence[int]) -> None:
    payload = chats.for_newcomer(chat)
    events = [Event.of_chat(chat, EventType.CHAT_DELETED, payload, to=user_id) for user_id in user_ids]
    await event_log.append(tx, events)
