"""What the wire contract promises, as types: an answer that lacks a field or has another type does not decode.

The tests have their own, so that a change of the program's types by mistake is noticed. Further fields are allowed.
"""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["owner", "admin", "member"]
WorkspaceRole = Literal["owner", "admin", "member", "guest"]
ChatType = Literal["Single", "Group", "PrivateChannel", "PublicChannel"]


class User(msgspec.Struct, frozen=True):
    id: int
    fullname: str
    username: str
    email: str
    avatar: str | None
    status: Literal["Active", "Suspended"]
    presence: Literal["online", "away", "busy", "offline"]
    locale: str
    timezone: str
    created_at: datetime
    updated_at: datetime


class Workspace(msgspec.Struct, frozen=True):
    id: int
    name: str
    description: str | None
    role: WorkspaceRole
    created_at: datetime
    updated_at: datetime


class SignedIn(msgspec.Struct, frozen=True):
    token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str
    user: User
    workspace: Workspace


class Invite(msgspec.Struct, frozen=True):
    id: int
    code: str
    url: str


class File(msgspec.Struct, frozen=True):
    id: int
    name: str
    mime_type: str
    size: int
    sha256: str
    url: str
    created_at: datetime
    width: int | None = None
    height: int | None = None
    thumbnail_url: str | None = None


class Message(msgspec.Struct, frozen=True):
    id: int
    chat_id: int
    seq: int
    sender_id: int
    content: str
    files: list[File]
    reply_to: int | None
    mentions: list[int]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    idempotency_key: str | None


class Chat(msgspec.Struct, frozen=True):
    id: int
    workspace_id: int
    name: str
    type: ChatType
    description: str | None
    created_by: int
    created_at: datetime
    updated_at: datetime
    member_count: int
    last_message: Message | None
    last_seq: int
    last_read_seq: int
    unread_count: int
    mention_count: int


class Member(msgspec.Struct, frozen=True):
    chat_id: int
    user_id: int
    role: Role
    created_at: datetime
    fullname: str
    avatar: str | None


class Membership(msgspec.Struct, frozen=True):
    """The payload of member.added."""

    chat_id: int
    user_id: int
    role: Role


class Hello(msgspec.Struct, frozen=True):
    user_id: int
    session_id: int
    cursor: str
    heartbeat_s: float


class Resync(msgspec.Struct, frozen=True):
    reason: str
    cursor: str


class Ticket(msgspec.Struct, frozen=True):
    ticket: str
    expires_in: int


class FieldProblem(msgspec.Struct, frozen=True):
    field: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457, as both services send it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem]
