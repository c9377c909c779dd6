"""Join a public channel."""

from fechatter.actions.chats.add_members import put_in
from fechatter.domain.chats import Chat, ChatRole
from fechatter.domain.errors import NotFound
from fechatter.domain.people import Caller
from fechatter.domain.permissions import check_may_join
from fechatter.store.chats import chats
from fechatter.store.database import Database


async def join_chat(db: Database, caller: Caller, chat_id: int) -> Chat:
    """Make the caller a member and tell all; joining again changes nothing. Who joins an empty channel owns it.

    Raises NotFound for what the caller does not see, Forbidden for a chat that is not joined but invited to.
    """
    async with db.transaction() as tx:
        place = await chats.lock_with_workspace(tx, caller, chat_id)
        if place is None:
            raise NotFound
        check_may_join(place)
        role = ChatRole.MEMBER if place.member_count else ChatRole.OWNER
        await put_in(tx, caller, place, {caller.user_id: role})
        chat = await chats.visible_to(tx, caller, chat_id)
        if chat is None:
            raise NotFound
        return chat
