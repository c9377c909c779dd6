"""Change the name or description of a chat."""

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.domain.chats import Chat
from fechatter.domain.errors import NotFound
from fechatter.domain.events import Event, EventType
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_rename
from fechatter.store.chats import chats
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log


class ChatChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


async def update_chat(db: Database, caller: Caller, chat_id: int, changes: ChatChanges) -> Chat:
    """Change the chat and tell its members; what is already so changes nothing.

    Raises NotFound, Forbidden, ChatNameTaken.
    """
    async with db.transaction() as tx:
        place = await chats.lock(tx, caller, chat_id)
        if place is None:
            raise NotFound
        check_may_rename(place)
        before = await _read(tx, caller, chat_id)
        name = before.name if changes.name is UNSET else changes.name
        description = before.description if changes.description is UNSET else changes.description
        if (name, description) == (before.name, before.description):
            return before
        await chats.rename(tx, place, name=name, description=description)
        after = await _read(tx, caller, chat_id)
        await event_log.append(tx, [Event.of_chat(after, EventType.CHAT_UPDATED, chats.for_newcomer(after))])
        return after


async def _read(tx: Connection, caller: Caller, chat_id: int) -> Chat:
    chat = await chats.visible_to(tx, caller, chat_id)
    if chat is None:
        raise NotFound
    return chat
