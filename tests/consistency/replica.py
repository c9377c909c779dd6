"""A client that knows only what it loaded and what it heard since. If events tell all, that is all there is to know.

Replica.load(person)    what the API says now
replica.hear(event)     one event more
told(world, *people)    a block after which what each has heard makes their state the fresh one
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from fechatter.notify.cursor import Cursor
from fechatter.notify.fanout import Fanout
from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.hub import Hub
from fechatter.notify.session import Had, Session
from fechatter.store.log import replay
from tests.clients.api import Person
from tests.clients.shapes import Member, Message
from tests.support.world import World

Json = dict[str, Any]


class Replica:
    """What one person's client knows.

    chats     the list, by id, without the counts
    counts    of unread messages and mentions, as the server said when it was loaded
    roles     of each chat whose members it has loaded: user → role
    messages  of each chat, by seq: all, or what it heard since it has known the chat
    missing   chats that it heard of and does not know: it has to ask for them
    behind    chats that came with something unread: it has to ask for that
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.chats: dict[int, Json] = {}
        self.counts: dict[int, Json] = {}
        self.roles: dict[int, dict[int, str]] = {}
        self.messages: dict[int, dict[int, Json]] = {}
        self.missing: set[int] = set()
        self.behind: set[int] = set()

    @classmethod
    async def load(cls, person: Person) -> "Replica":
        replica = cls(person)
        for chat in (await person.ask("GET", "/api/chats")).json(list[Json]):
            replica._know(chat)
            path = f"/api/chats/{chat['id']}"
            members = (await person.ask("GET", f"{path}/members")).json(list[Member])
            replica.roles[chat["id"]] = {member.user_id: member.role for member in members}
            for message in await _all_messages(person, path):
                replica.messages[chat["id"]][message["seq"]] = message
        return replica

    def hear(self, event: Json) -> None:
        """Apply an event as a client does."""
        payload: Json = event["payload"]
        match event["type"].split("."):
            case ["chat", kind]:
                self._hear_of_chat(kind, payload)
            case ["member", kind]:
                self._hear_of_member(kind, payload)
            case ["message", kind]:
                self._hear_of_message(kind, payload)
            case ["receipt", "updated"] if payload["chat_id"] in self.chats:
                self.chats[payload["chat_id"]]["last_read_seq"] = payload["last_read_seq"]
            case _:
                pass

    def state(self, counts: dict[int, Json]) -> Json:
        return {"chats": self.chats, "counts": counts, "roles": self.roles, "messages": self.messages}

    def counted(self) -> dict[int, Json]:
        """Unread messages and mentions as they follow from the messages it knows."""
        return {chat_id: self._counts(chat_id) for chat_id in self.chats}

    def ask_for_missing(self, fresh: "Replica") -> None:
        """A Single that it had hidden comes back with a message, or when it is asked for."""
        for chat_id in self.missing & fresh.chats.keys():
            self.chats[chat_id] = fresh.chats[chat_id]
        for chat_id in (self.missing | self.behind) & fresh.chats.keys():
            self.messages[chat_id] = fresh.messages[chat_id]

    def forget_what_was_never_loaded(self, other: "Replica") -> None:
        """A client asks for the members and the history of a chat that came by an event when someone opens it."""
        for chat_id in self.chats.keys() & other.chats.keys() - other.roles.keys():
            del self.roles[chat_id]
            self.messages[chat_id] = other.messages[chat_id]

    def _know(self, chat: Json) -> None:
        self.counts[chat["id"]] = {key: chat.pop(key) for key in ("unread_count", "mention_count")}
        self.chats[chat["id"]] = chat
        self.messages.setdefault(chat["id"], {})
        self.missing.discard(chat["id"])

    def _forget(self, chat_id: int) -> None:
        for known in (self.chats, self.roles, self.messages):
            known.pop(chat_id, None)

    def _hear_of_chat(self, kind: str, payload: Json) -> None:
        if kind == "deleted":
            self._forget(payload["id"])
        elif kind == "created":
            self._know(payload)
            if payload["last_read_seq"] < payload["last_seq"]:
                self.behind.add(payload["id"])
        else:
            self.chats[payload["id"]] |= {key: payload[key] for key in ("name", "description", "updated_at")}

    def _hear_of_member(self, kind: str, payload: Json) -> None:
        chat_id, user_id = payload["chat_id"], payload["user_id"]
        if kind == "removed" and user_id == self.person.id:
            self._forget(chat_id)
            return
        if kind != "updated":
            self.chats[chat_id]["member_count"] += 1 if kind == "added" else -1
        if chat_id in self.roles:
            self.roles[chat_id].pop(user_id, None)
            if kind != "removed":
                self.roles[chat_id][user_id] = payload["role"]

    def _hear_of_message(self, kind: str, payload: Json) -> None:
        chat = self.chats.get(payload["chat_id"])
        if chat is None:
            self.missing.add(payload["chat_id"])
            return
        self.messages[chat["id"]][payload["seq"]] = payload
        if payload["seq"] >= chat["last_seq"]:
            chat |= {"last_seq": payload["seq"], "last_message": payload}
        if kind == "created" and payload["sender_id"] == self.person.id:
            chat["last_read_seq"] = payload["seq"]

    def _counts(self, chat_id: int) -> Json:
        chat = self.chats[chat_id]
        unread = [m for seq, m in self.messages[chat_id].items() if seq > chat["last_read_seq"]]
        mentioning = [message for message in unread if self.person.id in message["mentions"]]
        return {"unread_count": chat["last_seq"] - chat["last_read_seq"], "mention_count": len(mentioning)}


@asynccontextmanager
async def told(world: World, *people: Person) -> AsyncGenerator[None]:
    """What each of `people` knew before the block, and hears of it, is what a fresh load shows after it."""
    replicas = [await Replica.load(person) for person in people]
    ears = [Ear(world, person, fd) for fd, person in enumerate(people)]
    hub = Hub(Fanout(lambda fd, data: ears[fd].take(data)))
    async with world.db.connection() as connection:
        seen = (await replay.look(connection)).seen
        admitted = await replay.admit(connection, [ear.session.caller for ear in ears])
    for ear in ears:
        hub.fanout.add(ear)
        hub.attach(ear, admitted[ear.session.caller].streams)
    yield
    async with world.db.connection() as connection:
        news = await replay.new_events(connection, seen)
    assert news.complete
    await hub.deliver([(event, Cursor("", 0)) for event in news.events])
    for replica, ear in zip(replicas, ears, strict=True):
        await _check(replica, ear.heard())


async def _check(replica: Replica, heard: Sequence[Json]) -> None:
    for event in heard:
        replica.hear(event)
    fresh = await Replica.load(replica.person)
    replica.ask_for_missing(fresh)
    fresh.forget_what_was_never_loaded(replica)
    assert replica.state(replica.counted()) == fresh.state(fresh.counts), [event["type"] for event in heard]


class Ear:
    """A connection of someone to notify_server's hub that keeps what it is sent."""

    parcel: Parcel | None = None
    speaks_ws = False
    congested = False

    def __init__(self, world: World, person: Person, fd: int) -> None:
        self.fd = fd
        self.session = Session(world.as_(person), None, 15.0)
        self._data = b""

    def take(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def send(self, data: bytes) -> None:
        self._data += data

    def spill(self, data: bytes) -> None: ...

    def offer(self, data: bytes) -> None: ...

    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None: ...

    def refuse(self) -> None: ...

    def fall_behind(self, since: int, had: Had) -> None: ...

    def heard(self) -> list[Json]:
        lines = [line for line in self._data.split(b"\n") if line.startswith(b"data: ")]
        return [msgspec.json.decode(line.removeprefix(b"data: ")) for line in lines]


async def _all_messages(person: Person, path: str) -> list[Json]:
    found: list[Json] = []
    page: str | None = f"{path}/messages?limit=100"
    while page is not None:
        answer = await person.ask("GET", page)
        answer.list_of(Message)
        found += answer.json(list[Json])
        page = answer.next_page()
    return found
