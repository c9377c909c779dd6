"""Delete a message: a tombstone stays, so that numbers have no gaps."""

from fechatter.domain.errors import NotFound
from fechatter.domain.events import Event, EventType
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_erase
from fechatter.store.chats import chats
from fechatter.store.database import Database
from fechatter.store.log import event_log
from fechatter.store.messages import message_changes


async def delete_message(db: Database, caller: Caller, chat_id: int, message_id: int) -> None:
    """Take the message's text, files and mentions away and tell all; deleting again changes nothing.

    Raises NotFound, Forbidden.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        message = await message_changes.find(tx, chat_id, message_id)
        if place is None or message is None:
            raise NotFound
        check_may_erase(place, own=message.sender_id == caller.user_id)
        if message.deleted_at is not None:
            return
        erased = await message_changes.erase(tx, message)
        await event_log.append(tx, [Event.of_chat(place, EventType.MESSAGE_DELETED, erased)])
