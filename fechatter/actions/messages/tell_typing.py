"""Tell the others that one is typing."""

from fechatter.actions.chats.refusal import why_refused
from fechatter.domain.events import EventType, Typing, stream_of_chat
from fechatter.domain.people import Caller
from fechatter.store.database import Database
from fechatter.store.log.ephemeral import announce
from fechatter.store.messages import receipts


async def tell_typing(db: Database, writer: Caller, chat_id: int) -> None:
    """Announce it to whoever listens, at most once in 3 s for a user and chat; more often changes nothing.

    Raises Unauthenticated, NotFound, Forbidden.
    """
    async with db.connection() as connection:
        due = await receipts.claim_typing(connection, writer, chat_id)
        if due is None:
            raise await why_refused(connection, writer, chat_id)
        if due:
            typing = Typing(chat_id=chat_id, user_id=writer.user_id)
            await announce(connection, EventType.TYPING, stream_of_chat(chat_id), typing, except_user=writer.user_id)
