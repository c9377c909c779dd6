"""People, their sessions, and the workspaces they are in."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec


class UserStatus(StrEnum):
    ACTIVE = "Active"
    SUSPENDED = "Suspended"


class WorkspaceRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"

    @property
    def rank(self) -> int:
        """Higher may do more; nobody gives a role above their own."""
        return _RANKS[self]


_RANKS = {WorkspaceRole.GUEST: 0, WorkspaceRole.MEMBER: 1, WorkspaceRole.ADMIN: 2, WorkspaceRole.OWNER: 3}


class Presence(StrEnum):
    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"


class UserPresence(msgspec.Struct, frozen=True, kw_only=True):
    """How a person can be reached. `last_seen_at`: null if they have never had a stream open."""

    user_id: int
    status: Presence
    text: str | None
    last_seen_at: datetime | None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person as others in a shared workspace see them, and as they see themselves."""

    id: int
    fullname: str
    username: str
    email: str
    avatar: str | None
    status: UserStatus
    presence: Presence
    locale: str
    timezone: str
    created_at: datetime
    updated_at: datetime


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that goes on. `current`: it is the one that asks. `last_seen_at` is right to some minutes."""

    id: int
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace with the caller's role in it."""

    id: int
    name: str
    description: str | None
    role: WorkspaceRole
    created_at: datetime
    updated_at: datetime


class SharedWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace as events carry it to all members: `role` is nobody's."""

    id: int
    name: str
    description: str | None
    role: None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        return cls(
            id=workspace.id,
            name=workspace.name,
            description=workspace.description,
            created_at=workspace.created_at,
            updated_at=workspace.updated_at,
        )


class WorkspaceMember(msgspec.Struct, frozen=True, kw_only=True):
    """A person's place in a workspace."""

    workspace_id: int
    user_id: int
    role: WorkspaceRole
    status: UserStatus
    created_at: datetime
    fullname: str
    username: str
    avatar: str | None


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request: a user in a session, as a valid token names them."""

    user_id: int
    session_id: int
