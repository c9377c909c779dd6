"""Load a chat history: what posting, joining and signing up do, for many lines at once.

add_remarks   store some lines with the people and channels they need; a repeated one changes nothing
bring_in      the workspace's owner joins the channels, which count as read up to here

A batch commits twice: first people and channels, then memberships and messages, so that a channel's row is held for
some tens of milliseconds only. Killed between the two, the next run finds what is there and goes on.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from fechatter.actions.history.load_people import place_authors
from fechatter.domain.chats import Chat, ChatRole, ChatType
from fechatter.domain.errors import Unavailable
from fechatter.domain.events import Event, EventType, Membership
from fechatter.domain.history import Refusal, Remark, address_of
from fechatter.domain.text import mentioned
from fechatter.domain.vectors import indexed
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log
from fechatter.store.messages import history
from fechatter.store.messages.history import LockedChat, Newcomer, Said
from fechatter.store.workspaces import workspaces

JOINED_AT_ONCE = 200
_ATTEMPTS = 3
_T = TypeVar("_T")


class Destination(msgspec.Struct, frozen=True):
    """The workspace to load into, and the owner who will have the channels."""

    workspace_id: int
    owner_id: int


class Added(msgspec.Struct):
    """What a batch, or many, came to. `repeats`: lines that were there already."""

    messages: int = 0
    repeats: int = 0
    people: int = 0
    channels: int = 0
    memberships: int = 0
    refusals: list[Refusal] = msgspec.field(default_factory=list[Refusal])

    def count(self, other: "Added") -> None:
        for name in ("messages", "repeats", "people", "channels", "memberships"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class _Post(msgspec.Struct, frozen=True):
    """A remark whose author and channel are known."""

    remark: Remark
    key: str
    user_id: int
    chat_id: int


class _ChatGone(Exception):
    """A channel was deleted between two transactions."""


async def add_remarks(db: Database, to: Destination, remarks: Sequence[Remark]) -> Added:
    """Store the remarks, in the order given, each with its event. Safe to repeat, and to kill.

    Raises Unavailable when the database goes away.
    """
    new = {remark.key: remark for remark in remarks}
    async with db.connection() as connection:
        there = await history.present(
            connection, [address_of(remark.author_key, to.workspace_id) for remark in new.values()], list(new)
        )
    fresh = {key: remark for key, remark in new.items() if key not in there}
    added = Added(repeats=len(remarks) - len(fresh))
    for attempt in range(_ATTEMPTS):
        try:
            await _store(db, to, fresh, added)
            break
        except _ChatGone as error:
            if attempt == _ATTEMPTS - 1:
                raise Unavailable from error
    return added


async def bring_in(db: Database, to: Destination, room_keys: Iterable[str]) -> None:
    """Make the owner a member of the channels: their owner, where they have none. Nothing in them is unread."""
    for keys in _chunks(list(room_keys), JOINED_AT_ONCE):
        async with db.transaction() as tx:
            found = await history.channels(tx, to.workspace_id, keys)
            chat_ids = [chat_id for chat_id, type_ in found.values() if type_ is ChatType.PUBLIC_CHANNEL]
            locked = await history.lock(tx, chat_ids)
            newcomers = [Newcomer(chat_id, to.owner_id, None) for chat_id in locked]
            await _admit(tx, to, locked, newcomers)


async def _store(db: Database, to: Destination, fresh: dict[str, Remark], added: Added) -> None:
    posts = await _place(db, to, fresh, added) if fresh else []
    if not posts:
        return
    async with db.transaction() as tx:
        locked = await history.lock(tx, sorted({post.chat_id for post in posts}))
        if len(locked) < len({post.chat_id for post in posts}):
            raise _ChatGone
        memberships = await _admit(tx, to, locked, _newcomers(posts))
        mentions = await _mentions(tx, posts)
        await history.insert_messages(tx, to.workspace_id, _numbered(posts, locked, mentions))
    added.messages += len(posts)
    added.memberships += memberships


async def _place(db: Database, to: Destination, fresh: dict[str, Remark], added: Added) -> list[_Post]:
    """Find or make everyone and every channel; leave out what has no place, and say why."""
    async with db.transaction() as tx:
        await workspaces.hold_some(tx, to.workspace_id, at_most=1)  # before usernames are taken: so does a profile
        people, made_people = await place_authors(tx, to.workspace_id, fresh.values())
        rooms, made_channels = await _place_rooms(tx, to, fresh.values())
    added.people += made_people
    added.channels += made_channels
    added.refusals.clear()
    posts: list[_Post] = []
    for key, remark in fresh.items():
        user_id, chat_id = people.get(remark.author_key), rooms.get(remark.room_key)
        if user_id is None:
            added.refusals.append(Refusal(remark, "its author's address belongs to someone who can sign in"))
        elif chat_id is None:
            added.refusals.append(Refusal(remark, "a private channel of the workspace has the room's name"))
        else:
            posts.append(_Post(remark, key, user_id, chat_id))
    return posts


async def _place_rooms(tx: Connection, to: Destination, remarks: Iterable[Remark]) -> tuple[dict[str, int], int]:
    """Folded room → public channel, and how many were made. A private channel is nobody's to load into."""
    first: dict[str, Remark] = {}
    for remark in remarks:
        first.setdefault(remark.room_key, remark)
    found = await history.channels(tx, to.workspace_id, list(first))
    missing = [remark for key, remark in first.items() if key not in found]
    made = 0
    if missing:
        since = [remark.sent_at for remark in missing]
        names = [remark.room for remark in missing]
        made = await history.insert_channels(tx, to.workspace_id, to.owner_id, names, since)
        found = await history.channels(tx, to.workspace_id, list(first))
    return {key: chat_id for key, (chat_id, type_) in found.items() if type_ is ChatType.PUBLIC_CHANNEL}, made


def _newcomers(posts: Iterable[_Post]) -> list[Newcomer]:
    """Everyone who says something, since they first do."""
    first = {(post.chat_id, post.user_id): post.remark.sent_at for post in reversed(list(posts))}
    return [Newcomer(chat_id, user_id, since) for (chat_id, user_id), since in first.items()]


async def _admit(tx: Connection, to: Destination, locked: dict[int, LockedChat], newcomers: Sequence[Newcomer]) -> int:
    """Put those into the locked chats who are not in them, and tell: how many that was."""
    roles = {
        (one.chat_id, one.user_id): ChatRole.OWNER
        if one.user_id == to.owner_id and not locked[one.chat_id].has_owner
        else ChatRole.MEMBER
        for one in newcomers
    }
    admitted = await history.admit(tx, to.workspace_id, newcomers, [role.value for role in roles.values()])
    if admitted:
        events = await _admissions(tx, admitted, roles)
        positions = await event_log.append(tx, events)
        await history.set_joined(tx, admitted, positions[: len(admitted)])
    return len(admitted)


async def _admissions(
    tx: Connection, admitted: Sequence[tuple[int, int]], roles: dict[tuple[int, int], ChatRole]
) -> list[Event]:
    """member.added to each chat's stream, then chat.created to each newcomer's."""
    views = await history.newcomers_view(tx, list({chat_id for chat_id, _ in admitted}))
    added = [
        Event.of_chat(
            views[chat_id],
            EventType.MEMBER_ADDED,
            Membership(chat_id=chat_id, user_id=user_id, role=roles[chat_id, user_id]),
        )
        for chat_id, user_id in admitted
    ]
    still_to_come = Counter(chat_id for chat_id, _ in admitted)
    created: list[Event] = []
    for chat_id, user_id in admitted:
        created.append(_created(views[chat_id], user_id, still_to_come[chat_id]))
        still_to_come[chat_id] -= 1
    return [*added, *created]


def _created(chat: Chat, user_id: int, still_to_come: int) -> Event:
    """The chat as it is just before this one's own member.added: counting on from there gives the true count."""
    before = msgspec.structs.replace(chat, member_count=chat.member_count - still_to_come)
    return Event.of_chat(chat, EventType.CHAT_CREATED, before, to=user_id)


async def _mentions(tx: Connection, posts: Sequence[_Post]) -> list[list[int]]:
    """Whom each post mentions: members of its chat, in the order of the text."""
    names = [mentioned(post.remark.text) for post in posts]
    named = {(post.chat_id, name) for post, said in zip(posts, names, strict=True) for name in said}
    known = await history.mentioned_members(tx, list(named)) if named else {}
    return [
        [known[post.chat_id, name] for name in said if (post.chat_id, name) in known]
        for post, said in zip(posts, names, strict=True)
    ]


def _numbered(posts: Sequence[_Post], locked: dict[int, LockedChat], mentions: Sequence[list[int]]) -> list[Said]:
    """The posts with the next numbers of their chats."""
    last = {chat.id: chat.last_seq for chat in locked.values()}
    said: list[Said] = []
    for post, whom in zip(posts, mentions, strict=True):
        last[post.chat_id] += 1
        said.append(
            Said(
                chat_id=post.chat_id,
                seq=last[post.chat_id],
                sender_id=post.user_id,
                content=post.remark.text,
                mentions=whom,
                key=post.key,
                at=post.remark.sent_at,
                found_by=indexed(post.remark.text),
            )
        )
    return said


def _chunks(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
