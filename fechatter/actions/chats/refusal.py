"""Why a statement that checks its caller by itself found nothing to do."""

from fechatter.domain.errors import DomainError, Forbidden, NotFound, Unauthenticated
from fechatter.domain.people import Caller
from fechatter.store.chats import chats
from fechatter.store.database import Connection
from fechatter.store.people import sessions


async def why_refused(connection: Connection, caller: Caller, chat_id: int) -> DomainError:
    """The error for a caller who is not a member of the chat, or not even in a session."""
    if not await sessions.is_live(connection, caller):
        return Unauthenticated("The session has ended: sign in again.")
    if await chats.standing(connection, caller, chat_id) is None:
        return NotFound()
    return Forbidden("Join the channel first.")
