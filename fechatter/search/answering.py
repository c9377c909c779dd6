"""An answer to a search: what a backend finds, as far as the caller may read it, with its text as it is now.

Asked     which messages, in the caller's words
answer    a page of them
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from fechatter.domain.chats import ChatType
from fechatter.domain.messages import Message
from fechatter.domain.people import Caller
from fechatter.domain.search import MOST_FOUND, Backend, Mark, Query
from fechatter.search.choose import Searching
from fechatter.search.highlights import Highlight, highlights
from fechatter.store.database import Database
from fechatter.store.search import reading
from fechatter.store.search.reading import Read

LONG_CHARS = 5_000
"""More text than that is looked through beside the event loop."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """As domain/search.py: Query. `chat_id`: only this chat, which the caller must be able to read."""

    text: str
    chat_id: int | None = None
    workspace_id: int | None = None
    sender_id: int | None = None
    after: datetime | None = None
    before: datetime | None = None
    has_file: bool = False
    mentions: int | None = None
    names_only: bool = False
    limit: int = 50
    offset: int = 0


class FoundChat(msgspec.Struct, frozen=True):
    """The chat that a message stands in."""

    id: int
    name: str
    type: ChatType


class FoundMessage(msgspec.Struct, frozen=True):
    message: Message
    chat: FoundChat
    highlights: list[Highlight]


class Page(msgspec.Struct, frozen=True):
    """A page of hits. `total` is exact up to 1,000, which also means "or more"."""

    hits: list[FoundMessage]
    total: int
    backend: Backend
    degraded: bool
    has_more: bool


async def answer(db: Database, searching: Searching, caller: Caller, asked: Asked) -> Page:
    """Raises Unauthenticated, NotFound (the chat, the workspace), Unavailable."""
    async with db.connection() as connection:
        chats = await reading.searchable(connection, caller, asked.workspace_id, asked.chat_id)
    answered = await searching.search(_query(asked, chats))
    found = answered.found
    async with db.connection() as connection:
        read = await reading.messages_of(connection, caller, [hit.message_id for hit in found.hits])
    total = found.total - (len(found.hits) - len(read))
    return Page(
        hits=await _marked(read, found.marks),
        total=total,
        backend=answered.backend,
        degraded=answered.degraded,
        has_more=bool(found.hits) and asked.offset + asked.limit < min(found.total, MOST_FOUND),
    )


def _query(asked: Asked, chats: Sequence[int]) -> Query:
    return Query(
        text=asked.text,
        chats=chats,
        sender_id=asked.sender_id,
        after=asked.after,
        before=asked.before,
        has_file=asked.has_file,
        mentions=asked.mentions,
        names_only=asked.names_only,
        limit=asked.limit,
        offset=asked.offset,
    )


async def _marked(read: Sequence[Read], marks: Sequence[Mark]) -> list[FoundMessage]:
    if sum(len(each.message.content) for each in read) > LONG_CHARS:
        return await asyncio.to_thread(_mark, read, marks)
    return _mark(read, marks)


def _mark(read: Sequence[Read], marks: Sequence[Mark]) -> list[FoundMessage]:
    return [
        FoundMessage(
            each.message,
            FoundChat(each.message.chat_id, each.chat_name, each.chat_type),
            highlights(each.message, marks),
        )
        for each in read
    ]
