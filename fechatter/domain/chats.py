"""Chats of the four types, and who is in them."""

from datetime import datetime
from enum import StrEnum

import msgspec

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.messages import Message


class ChatType(StrEnum):
    SINGLE = "Single"
    GROUP = "Group"
    PRIVATE_CHANNEL = "PrivateChannel"
    PUBLIC_CHANNEL = "PublicChannel"

    @property
    def is_channel(self) -> bool:
        """Channels have unique names and change their members; guests make none."""
        return self in (ChatType.PRIVATE_CHANNEL, ChatType.PUBLIC_CHANNEL)


class ChatRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat as one of its members sees it. In events, which all members share, the counts are a newcomer's."""

    id: int
    workspace_id: int
    name: str
    type: ChatType
    description: str | None
    created_by: int
    created_at: datetime
    updated_at: datetime
    member_count: int
    member_ids: list[int] | None  # Single: both people, so that each can show the other; else null
    last_message: Message | None
    last_seq: int
    last_read_seq: int
    unread_count: int
    mention_count: int


class ChatMember(msgspec.Struct, frozen=True, kw_only=True):
    """A person's place in a chat."""

    chat_id: int
    user_id: int
    role: ChatRole
    created_at: datetime
    fullname: str
    username: str
    avatar: str | None


class ReadPosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a member has read; `read_at` is null for one who has read nothing yet."""

    user_id: int
    last_read_seq: int
    read_at: datetime | None


def check_member_count(type_: ChatType, others: int) -> None:
    """Single has at most one other person, Group at least two; channels any number. Else InvalidRequest."""
    if type_ is ChatType.SINGLE and others > 1:
        raise InvalidRequest(fields={"members": "a Single chat has exactly two people: name one other"})
    if type_ is ChatType.GROUP and others < 2:
        raise InvalidRequest(fields={"members": "a Group has at least three people: name two others or more"})
