"""Post a message."""

from fechatter.domain.errors import (
    DomainError,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    Unauthenticated,
)
from fechatter.domain.messages import Draft, Message
from fechatter.domain.people import Caller
from fechatter.domain.text import mentioned
from fechatter.store import messages
from fechatter.store.database import Database
from fechatter.store.messages import Refused


async def post_message(db: Database, author: Caller, chat_id: int, draft: Draft) -> tuple[Message, bool]:
    """Store a message and its event together; safe to retry with the same draft.

    Returns the message as it is now, and whether it was made by this call. Raises IdempotencyConflict when the key
    was used for something else. The draft has been checked (Draft.check).
    """
    if draft.files:
        raise InvalidRequest(fields={"files": "names no file of yours"})
    async with db.connection() as connection:
        row = await messages.post(connection, author, chat_id, draft, mentioned(draft.content))
        if row is None:
            raise _error(await messages.refusal(connection, author, chat_id))
    if not row["new"] and row["earlier_digest"] != draft.digest(chat_id):
        raise IdempotencyConflict
    return messages.from_row(row), bool(row["new"])


def _error(refused: Refused) -> DomainError:
    match refused:
        case Refused.SESSION_ENDED:
            return Unauthenticated()
        case Refused.NOT_VISIBLE:
            return NotFound()
        case Refused.NOT_A_MEMBER:
            return Forbidden("Join the channel to write in it.")
        case Refused.NO_SUCH_REPLY:
            return InvalidRequest(fields={"reply_to": "is not a message of this chat"})
