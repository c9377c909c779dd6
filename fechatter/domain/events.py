"""The catalogue of events: every type that clients hear of, with its payload. The wire form is Envelope.

stream_of_chat, stream_of_workspace, stream_of_user    names of streams
Event                                                  one change, before the log gives it a position
Envelope                                               one change as clients get it
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from fechatter.domain.chats import Chat, ChatRole
from fechatter.domain.messages import Message
from fechatter.domain.people import User, Workspace, WorkspaceMember


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
    HELLO = "hello"
    RESYNC_REQUIRED = "resync_required"
    GOODBYE = "goodbye"


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Payload of member.*: who has which role in a chat."""

    chat_id: int
    user_id: int
    role: ChatRole


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


Payload = Message | Chat | Membership | Workspace | WorkspaceMember | User


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A change for one stream. message.* carry the message's id in the log; its content is read at delivery."""

    stream: str
    type: EventType
    payload: Payload
    workspace_id: int | None = None
    chat_id: int | None = None


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
