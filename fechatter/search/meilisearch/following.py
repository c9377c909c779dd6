"""Bringing changes from the event log into an index.

TYPES       of the events that change what can be found
apply       what some events changed
follow      all that changed since a place in the log
"""

from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec

from fechatter.domain.events import EventType
from fechatter.domain.messages import Message
from fechatter.search.meilisearch.documents import document
from fechatter.search.meilisearch.server import Entry, Server
from fechatter.store.database import Database
from fechatter.store.log import consumers
from fechatter.store.log.replay import LoggedEvent, Seen
from fechatter.store.search import documents as store

TYPES = (
    EventType.MESSAGE_CREATED,
    EventType.MESSAGE_UPDATED,
    EventType.MESSAGE_DELETED,
    EventType.CHAT_DELETED,
    EventType.WORKSPACE_MEMBER_REMOVED,
)
BATCH = 1_000


class _OfWorkspace(msgspec.Struct, frozen=True):
    workspace_id: int


async def apply(
    db: Database, server: Server, uid: str, events: Sequence[LoggedEvent], own: Sequence[Entry] = ()
) -> None:
    """Take out what is gone, and write messages as they are now; `own` entries with these, when all else is done.

    Messages are read here and not taken from the events, which may be old by now.
    """
    ids = sorted({event.payload.id for event in events if isinstance(event.payload, Message)})
    async with db.connection() as connection:
        found = await store.of_messages(connection, ids)
        chats = await store.gone_chats(connection, sorted(_chats(events)))
        workspaces = await store.gone_workspaces(connection, sorted(_workspaces(events)))
    await server.remove(uid, sorted(set(ids) - {each.message_id for each in found}))
    for field, gone in (("chat_id", chats), ("workspace_id", workspaces)):
        if gone:
            await server.remove_where(uid, f"{field} IN [{','.join(map(str, gone))}]")
    await server.put(uid, [*(document(each) for each in found), *own])


async def follow(db: Database, server: Server, uid: str, seen: Seen) -> AsyncGenerator[Seen]:
    """Bring in all that changed since `seen`; gives how far it has come, again and again, until nothing is new."""
    complete = False
    while not complete:
        async with db.connection() as connection:
            batch = await consumers.next_batch(connection, seen, BATCH, TYPES)
        if batch.events:
            await apply(db, server, uid, batch.events)
        seen, complete = batch.seen, batch.complete
        yield seen


def _chats(events: Iterable[LoggedEvent]) -> set[int]:
    return {event.chat_id for event in events if event.type == EventType.CHAT_DELETED and event.chat_id is not None}


def _workspaces(events: Iterable[LoggedEvent]) -> set[int]:
    return {
        msgspec.json.decode(event.payload, type=_OfWorkspace).workspace_id
        for event in events
        if event.type == EventType.WORKSPACE_MEMBER_REMOVED and isinstance(event.payload, bytes)
    }
