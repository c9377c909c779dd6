"""Say how far one has read."""

from fechatter.actions.chats.refusal import why_refused
from fechatter.domain.events import Event, EventType, Receipt, stream_of_chat, stream_of_user
from fechatter.domain.people import Caller
from fechatter.store.database import Database
from fechatter.store.log import event_log
from fechatter.store.log.ephemeral import announce
from fechatter.store.messages import receipts


async def mark_read(db: Database, reader: Caller, chat_id: int, seq: int) -> None:
    """Move the reader's position on, never back; their own devices hear of it for sure, the others if they listen.

    Raises Unauthenticated, NotFound, Forbidden.
    """
    async with db.transaction() as tx:
        marked = await receipts.mark_read(tx, reader, chat_id, seq)
        if marked is None:
            raise await why_refused(tx, reader, chat_id)
        if marked.last_read_seq is None:
            return
        receipt = Receipt(chat_id=chat_id, user_id=reader.user_id, last_read_seq=marked.last_read_seq)
        own = Event(
            stream=stream_of_user(reader.user_id),
            type=EventType.RECEIPT_UPDATED,
            payload=receipt,
            workspace_id=marked.workspace_id,
            chat_id=chat_id,
        )
        await event_log.append(tx, [own])
        await announce(tx, EventType.RECEIPT_UPDATED, stream_of_chat(chat_id), receipt, except_user=reader.user_id)
