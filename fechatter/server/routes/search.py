"""/api/search/… and a chat's own search."""

import re
import time
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Response, get
from litestar.di import Provide
from litestar.params import Parameter
from msgspec.structs import replace

from fechatter.domain.chats import Chat
from fechatter.domain.errors import InvalidRequest
from fechatter.domain.messages import File
from fechatter.domain.people import Caller, User
from fechatter.domain.search import QUERY_CHARS, Backend
from fechatter.domain.text import check_text
from fechatter.search.answering import Asked, FoundChat, FoundMessage, Page, answer
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.lists import PAGE, Id, Limit, Offset, OptionalId, next_link
from fechatter.store.people import users
from fechatter.store.search import reading

OF_EACH = 10
SUGGESTED = 5
NAME_CHARS = 256
"""No name is longer: a longer query is in none."""
_SPACE_FOR_PLUS = re.compile(r" (?=\d\d:\d\d$)")

Text = Annotated[
    str,
    Parameter(
        schema_extra={"minLength": 1, "maxLength": QUERY_CHARS},
        description='What to look for: 1 to 1,024 characters. Every word must be there; "…" quotes a phrase, and is '
        "the only syntax. The last word may be a beginning; with few hits, words may be misspelt.",
    ),
]
Time = Annotated[str | None, Parameter(schema_extra={"format": "date-time"}, description="RFC 3339.")]
Has = Annotated[Literal["file"] | None, Parameter(description="Only messages with files.")]
Mentions = Annotated[Literal["me"] | None, Parameter(description="Only messages that mention the caller.")]


class FoundMessages(msgspec.Struct, frozen=True):
    """`total` is exact up to 1,000. `degraded`: the built-in search answered, because Meilisearch is away."""

    hits: list[FoundMessage]
    total: int
    took_ms: float
    backend: Backend
    degraded: bool


class FoundFile(File, frozen=True, kw_only=True):
    """A file with the message that carries it."""

    message_id: int
    chat: FoundChat


class MessagesOfAll(msgspec.Struct, frozen=True):
    hits: list[FoundMessage]
    total: int


class FoundAll(msgspec.Struct, frozen=True):
    """Messages, and what is called so. `chats`: those that one is in, then channels that one may join."""

    messages: MessagesOfAll
    files: list[FoundFile]
    people: list[User]
    chats: list[Chat]
    took_ms: float
    backend: Backend
    degraded: bool


class Suggestion(msgspec.Struct, frozen=True):
    """Somebody or something whose name fits, with its id. A file's `id` is that of the file."""

    kind: Literal["person", "chat", "file"]
    text: str
    id: int


def provide_asked(
    claimed: Caller,
    q: Text,
    sender_id: OptionalId = None,
    after: Time = None,
    before: Time = None,
    has: Has = None,
    mentions: Mentions = None,
    limit: Limit = PAGE,
    offset: Offset = 0,
) -> Asked:
    """What all searches of messages alone may be asked; after the caller is known, so that others hear 401 first."""
    return Asked(
        text=_check_query(q),
        sender_id=sender_id,
        after=_time("after", after),
        before=_time("before", before),
        has_file=has is not None,
        mentions=claimed.user_id if mentions is not None else None,
        limit=limit,
        offset=offset,
    )


ASKED = {"asked": Provide(provide_asked, sync_to_thread=False)}


@get("/search/messages", dependencies=ASKED, summary="Search messages", tags=["search"])
async def search_messages(
    request: ApiRequest,
    context: Context,
    claimed: Caller,
    asked: Asked,
    chat_id: OptionalId = None,
    workspace_id: OptionalId = None,
) -> Response[FoundMessages]:
    """In the chats that the caller is in, the best first. `after` is inclusive, `before` exclusive. 404 for a chat that
    one cannot see. Of more than 1,000 hits the newest are ranked."""
    return await _page(request, context, claimed, replace(asked, chat_id=chat_id, workspace_id=workspace_id))


@get("/chats/{chat_id:int}/messages/search", dependencies=ASKED, summary="Search one chat", tags=["search"])
async def search_chat(
    request: ApiRequest, context: Context, claimed: Caller, asked: Asked, chat_id: Id
) -> Response[FoundMessages]:
    """The same in a chat that one can read."""
    return await _page(request, context, claimed, replace(asked, chat_id=chat_id))


@get("/search", summary="Search everything", tags=["search"])
async def search_all(
    context: Context,
    claimed: Caller,
    q: Text,
    workspace_id: OptionalId = None,
    limit: Limit = OF_EACH,
) -> FoundAll:
    """At most `limit` of each: messages, files by name, people, chats and channels by name."""
    began = time.perf_counter()
    text = _check_query(q)
    page = await _ask(context, claimed, Asked(text=text, workspace_id=workspace_id, limit=limit))
    files, degraded = await _files(context, claimed, text, workspace_id, limit)
    people, chats = await _named(context, claimed, text, workspace_id, limit)
    return FoundAll(
        messages=MessagesOfAll(page.hits, page.total),
        files=files,
        people=people,
        chats=chats,
        took_ms=_since(began),
        backend=page.backend,
        degraded=page.degraded or degraded,
    )


@get("/search/suggestions", summary="What one may be looking for", tags=["search"])
async def suggest(context: Context, claimed: Caller, q: Text, workspace_id: OptionalId = None) -> list[Suggestion]:
    """While one types: people, chats and files that the caller knows, by their names."""
    text = _check_query(q)
    files, _ = await _files(context, claimed, text, workspace_id, SUGGESTED)
    people, chats = await _named(context, claimed, text, workspace_id, SUGGESTED)
    return [
        *(Suggestion("chat", chat.name, chat.id) for chat in chats),
        *(Suggestion("person", user.fullname, user.id) for user in people),
        *(Suggestion("file", file.name, file.id) for file in files),
    ]


async def _page(request: ApiRequest, context: Context, caller: Caller, asked: Asked) -> Response[FoundMessages]:
    began = time.perf_counter()
    page = await _ask(context, caller, asked)
    found = FoundMessages(page.hits, page.total, _since(began), page.backend, page.degraded)
    headers = {"Link": next_link(request, offset=asked.offset + asked.limit)} if page.has_more else {}
    return Response(found, headers=headers)


async def _ask(context: Context, caller: Caller, asked: Asked) -> Page:
    return await answer(context.db, context.searching, caller, asked)


async def _files(
    context: Context, caller: Caller, text: str, workspace_id: int | None, limit: int
) -> tuple[list[FoundFile], bool]:
    """Files whose names fit, each once, of messages that the caller may read."""
    page = await _ask(context, caller, Asked(text=text, workspace_id=workspace_id, names_only=True, limit=limit))
    found: dict[int, FoundFile] = {}
    for hit in page.hits:
        named = ["".join(part.text for part in each.parts) for each in hit.highlights if each.field == "file"]
        for file in hit.message.files:
            if file.name in named:
                fields = msgspec.structs.asdict(file)
                found.setdefault(file.id, FoundFile(**fields, message_id=hit.message.id, chat=hit.chat))
    return list(found.values())[:limit], page.degraded


async def _named(
    context: Context, caller: Caller, text: str, workspace_id: int | None, limit: int
) -> tuple[list[User], list[Chat]]:
    name = text.strip()
    if not name or len(name) > NAME_CHARS:
        return [], []
    async with context.db.connection() as connection:
        people = await users.search(connection, caller.user_id, workspace_id, name, limit=limit, offset=0)
        return list(people), await reading.chats_named(connection, caller, workspace_id, name, limit=limit)


def _check_query(q: str) -> str:
    return check_text("q", q, 1, QUERY_CHARS)


def _time(field: str, text: str | None) -> datetime | None:
    """A plus sign that came unescaped is a space by now."""
    if text is None:
        return None
    try:
        found = msgspec.convert(_SPACE_FOR_PLUS.sub("+", text), datetime)
    except (msgspec.ValidationError, ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None or not 1 < found.year < 9999:
        raise InvalidRequest(fields={field: "must be a time as in RFC 3339, such as 2026-03-01T09:00:00Z"})
    return found


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


ROUTES = [search_messages, search_chat, search_all, suggest]
