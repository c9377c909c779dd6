"""/api/chats/{id}/messages: post, read the history, edit, delete."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import Parameter

from fechatter.actions.messages.delete_message import delete_message
from fechatter.actions.messages.edit_message import edit_message
from fechatter.domain.errors import InvalidRequest, NotFound, Unauthenticated
from fechatter.domain.messages import Draft, Message
from fechatter.domain.people import Caller
from fechatter.domain.text import check_text
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, OptionalId, next_link
from fechatter.store.messages import messages
from fechatter.store.messages.messages import Page
from fechatter.store.people import sessions

Moment = Annotated[datetime | None, Parameter(description="RFC 3339 with a time zone.")]


class NewText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May be empty if the message has files."""

    content: str


class Anchor(msgspec.Struct, frozen=True):
    """Where a page lies: `low` to `high` places from the message `id`, or from the newest."""

    id: int | None
    low: int
    high: int


@post("/chats/{chat_id:int}/messages", status_code=201, summary="Post a message", tags=["messages"])
async def post_to_chat(context: Context, claimed: Caller, chat_id: Id, data: Draft) -> Response[Message]:
    """201 when the message was made now; 200 with the first one for a retry of the same `idempotency_key`."""
    limits = context.settings.limits
    data.check(limits.content_chars, limits.files_per_message)
    message, is_new = await context.posting.post(claimed, chat_id, data)
    return Response(message, status_code=201 if is_new else 200)


@get("/chats/{chat_id:int}/messages", summary="Read the history", tags=["messages"])
async def list_messages(
    request: ApiRequest,
    context: Context,
    claimed: Caller,
    chat_id: Id,
    limit: Limit = PAGE,
    before_id: OptionalId = None,
    after_id: OptionalId = None,
    around_id: OptionalId = None,
    at: Moment = None,
) -> Response[list[Message]]:
    """Newest first; with `after_id` oldest first. At most one of `before_id`, `after_id`, `around_id` and `at`.

    `at` gives the messages around the first one from that moment on, or the newest ones if all are older.
    """
    _check_place(before_id, after_id, around_id, at)
    async with context.db.connection() as connection:
        if at is not None:
            around_id = await messages.first_at(connection, claimed, chat_id, at)
        anchor = _anchor(limit, before_id, after_id, around_id)
        page = await messages.page(connection, claimed, chat_id, anchor.id, anchor.low, anchor.high)
        if page is None:
            raise NotFound if await sessions.is_live(connection, claimed) else Unauthenticated
    if after_id is None:
        return Response(page.messages, headers=_older(request, page))
    return Response(page.messages[::-1], headers=_newer(request, page))


@put("/chats/{chat_id:int}/messages/{message_id:int}", summary="Edit a message", tags=["messages"])
async def edit(context: Context, caller: Caller, chat_id: Id, message_id: Id, data: NewText) -> Message:
    """By its sender. 409 for a message that was deleted."""
    content = check_text("content", data.content, 0, context.settings.limits.content_chars)
    return await edit_message(context.db, caller, chat_id, message_id, content)


@delete("/chats/{chat_id:int}/messages/{message_id:int}", summary="Delete a message", tags=["messages"])
async def remove(context: Context, caller: Caller, chat_id: Id, message_id: Id) -> None:
    """By its sender and the chat's admins. A tombstone stays: `content` empty, `deleted_at` set."""
    await delete_message(context.db, caller, chat_id, message_id)


def _check_place(before_id: int | None, after_id: int | None, around_id: int | None, at: datetime | None) -> None:
    if sum(given is not None for given in (before_id, after_id, around_id, at)) > 1:
        raise InvalidRequest("Give only one of before_id, after_id, around_id and at.")
    if at is not None and at.tzinfo is None:
        raise InvalidRequest("Give `at` with a time zone, e.g. 2026-01-05T00:00:00Z.")


def _anchor(limit: int, before_id: int | None, after_id: int | None, around_id: int | None) -> Anchor:
    if before_id is not None:
        return Anchor(before_id, -limit, -1)
    if after_id is not None:
        return Anchor(after_id, 1, limit)
    if around_id is not None:
        return Anchor(around_id, -(limit // 2), limit - limit // 2 - 1)
    return Anchor(None, 1 - limit, 0)


def _older(request: ApiRequest, page: Page) -> dict[str, str]:
    if not (page.has_older and page.messages):
        return {}
    return {"Link": next_link(request, before_id=page.messages[-1].id, around_id=None, at=None)}


def _newer(request: ApiRequest, page: Page) -> dict[str, str]:
    if not (page.has_newer and page.messages):
        return {}
    return {"Link": next_link(request, after_id=page.messages[0].id)}


ROUTES = [post_to_chat, list_messages, edit, remove]
