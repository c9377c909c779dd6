"""The catalogue of events: every type that clients hear of, with its payload. The wire form is Envelope.

stream_of_chat, stream_of_workspace, stream_of_user    names of streams
peers_of                                               the audience of a person's presence
Event                                                  one change, before the log gives it a position
Ephemeral                                              news that is not logged: presence, typing, receipts
Envelope                                               one change as clients get it
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

import msgspec

from fechatter.domain.chats import Chat, ChatRole
from fechatter.domain.messages import Message
from fechatter.domain.people import SharedWorkspace, User, UserPresence, WorkspaceMember


class EventType(StrEnum):
    MESSAGE_CREATED = "message.created"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    CHAT_CREATED = "chat.created"
    CHAT_UPDATED = "chat.updated"
    CHAT_DELETED = "chat.deleted"
    MEMBER_ADDED = "member.added"
    MEMBER_REMOVED = "member.removed"
    MEMBER_UPDATED = "member.updated"
    WORKSPACE_UPDATED = "workspace.updated"
    WORKSPACE_MEMBER_ADDED = "workspace.member_added"
    WORKSPACE_MEMBER_REMOVED = "workspace.member_removed"
    WORKSPACE_MEMBER_UPDATED = "workspace.member_updated"
    USER_UPDATED = "user.updated"
    PRESENCE_CHANGED = "presence.changed"
    TYPING = "typing"
    RECEIPT_UPDATED = "receipt.updated"
    HELLO = "hello"
    RESYNC_REQUIRED = "resync_required"
    GOODBYE = "goodbye"


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Payload of member.*: who has which role in a chat."""

    chat_id: int
    user_id: int
    role: ChatRole


class Typing(msgspec.Struct, frozen=True, kw_only=True):
    """Someone writes in a chat at this moment."""

    chat_id: int
    user_id: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far someone has read in a chat."""

    chat_id: int
    user_id: int
    last_read_seq: int


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    user_id: int
    session_id: int
    cursor: str
    heartbeat_s: float


class ResyncRequired(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    cursor: str


class Goodbye(msgspec.Struct, frozen=True, kw_only=True):
    """The last word before the server closes. `retry_ms`: wait so long before coming back."""

    code: int
    reason: str
    reconnect: bool
    retry_ms: int


Payload = Message | Chat | Membership | SharedWorkspace | WorkspaceMember | User | Receipt


class SomeChat(Protocol):
    """A chat, as far as its events name it."""

    @property
    def id(self) -> int: ...
    @property
    def workspace_id(self) -> int: ...


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A change for one stream. message.* carry the message's id in the log; its content is read at delivery."""

    stream: str
    type: EventType
    payload: Payload
    workspace_id: int | None = None
    chat_id: int | None = None

    @classmethod
    def of_chat(cls, chat: SomeChat, type_: EventType, payload: Payload, *, to: int | None = None) -> Self:
        """What all who are in the chat hear or, with `to`, one user alone on their own stream."""
        stream = stream_of_chat(chat.id) if to is None else stream_of_user(to)
        return cls(stream=stream, type=type_, payload=payload, workspace_id=chat.workspace_id, chat_id=chat.id)


class Ephemeral(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """News for whoever listens now; whoever does not, never hears it. Small: it travels in a NOTIFY.

    id            tells a copy that came another way
    to            `chat:<id>`, `user:<id>`, or `peers:<user id>`: that user and all who share a chat with them
    except_user   does not hear it
    """

    id: str
    type: EventType
    to: str
    payload: UserPresence | Typing | Receipt
    except_user: int | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The wire form (WebSocket adds `cursor`). Ephemeral events have no `pos`; hello and goodbye no stream either."""

    type: EventType
    stream: str | None
    pos: int | None
    chat_id: int | None
    at: datetime
    payload: Any


def stream_of_chat(chat_id: int) -> str:
    return f"chat:{chat_id}"


def stream_of_workspace(workspace_id: int) -> str:
    return f"workspace:{workspace_id}"


def stream_of_user(user_id: int) -> str:
    return f"user:{user_id}"


def peers_of(user_id: int) -> str:
    """Whom an Ephemeral reaches that concerns all who share a chat with the user, and the user's own devices."""
    return f"peers:{user_id}"
