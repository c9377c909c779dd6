"""/api/chats/{id}/read, /receipts and /typing: how far people have read, and who is writing."""

from typing import Annotated

import msgspec
from litestar import Response, get, post

from fechatter.actions.chats.refusal import why_refused
from fechatter.actions.messages.mark_read import mark_read
from fechatter.actions.messages.tell_typing import tell_typing
from fechatter.domain.chats import ReadPosition
from fechatter.domain.ids import MAX_ID
from fechatter.domain.people import Caller
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import EVERYONE, Id, Offset, OptionalLimit, listing
from fechatter.store.chats import chats
from fechatter.store.messages import receipts


class Read(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`seq` of the newest message that was read."""

    seq: Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]


@post("/chats/{chat_id:int}/read", status_code=204, summary="Say how far one has read", tags=["receipts"])
async def read(context: Context, claimed: Caller, chat_id: Id, data: Read) -> None:
    """Never moves back. Beyond the newest message counts as the newest."""
    await mark_read(context.db, claimed, chat_id, data.seq)


@get("/chats/{chat_id:int}/receipts", summary="How far each member has read", tags=["receipts"])
async def list_receipts(
    request: ApiRequest,
    context: Context,
    caller: Caller,
    chat_id: Id,
    limit: OptionalLimit = None,
    offset: Offset = 0,
) -> Response[list[ReadPosition]]:
    """All members, in the order of joining; for members only."""
    most = EVERYONE if limit is None else limit
    async with context.db.connection() as connection:
        place = await chats.standing(connection, caller, chat_id)
        if place is None or place.role is None:
            raise await why_refused(connection, caller, chat_id)
        found = await receipts.list_(connection, chat_id, limit=most + 1, offset=offset)
    return listing(request, found, most, offset)


@post("/chats/{chat_id:int}/typing", status_code=204, summary="Tell the others that one is typing", tags=["receipts"])
async def typing(context: Context, claimed: Caller, chat_id: Id) -> None:
    """The others hear of it at most once in 3 seconds; call it as often as keys are pressed."""
    await tell_typing(context.db, claimed, chat_id)


ROUTES = [read, list_receipts, typing]
