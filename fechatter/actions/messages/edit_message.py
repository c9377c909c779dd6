"""Edit a message."""

from fechatter.actions.messages.indexing import found_by
from fechatter.domain.errors import Conflict, InvalidRequest, NotFound
from fechatter.domain.events import Event, EventType
from fechatter.domain.messages import Message
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_edit
from fechatter.domain.text import mentioned
from fechatter.store.chats import chats
from fechatter.store.database import Database
from fechatter.store.log import event_log
from fechatter.store.messages import message_changes


async def edit_message(db: Database, caller: Caller, chat_id: int, message_id: int, content: str) -> Message:
    """Replace the text of the caller's own message, with its mentions, and tell all. The same text changes nothing.

    `content` has been checked; it may be empty if the message has files. Raises NotFound, Forbidden, InvalidRequest,
    and Conflict for a message that was deleted.
    """
    words = await found_by(content)
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        message = await message_changes.find(tx, chat_id, message_id)
        if place is None or message is None:
            raise NotFound
        check_may_edit(place, own=message.sender_id == caller.user_id)
        if message.deleted_at is not None:
            raise Conflict("The message was deleted.")
        if not content and not message.files:
            raise InvalidRequest(fields={"content": "must have 1 character or more: the message has no files"})
        if content == message.content:
            return message
        edited = await message_changes.edit(tx, message, content, mentioned(content), words)
        await event_log.append(tx, [Event.of_chat(place, EventType.MESSAGE_UPDATED, edited)])
        return edited
