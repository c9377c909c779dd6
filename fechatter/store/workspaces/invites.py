"""Invites to a workspace. Codes are stored hashed and shown once.

insert          a new invite and its code
hold_workspace  the workspace that a code opens
redeem          use a code once
list_           of a workspace
delete          one of a workspace
delete_of       those that somebody may no longer stand for
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from fechatter.domain.errors import InviteGone
from fechatter.domain.people import WorkspaceRole
from fechatter.domain.text import fold
from fechatter.store.database import Connection, struct_from
from fechatter.store.digests import digest_of

_INVITE = "id, workspace_id, role, email, max_uses, uses, expires_at, created_by, created_at"


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invite as those who manage them see it; `max_uses` null: any number."""

    id: int
    workspace_id: int
    role: WorkspaceRole
    email: str | None
    max_uses: int | None
    uses: int
    expires_at: datetime
    created_by: int
    created_at: datetime


async def insert(
    connection: Connection,
    *,
    workspace_id: int,
    role: WorkspaceRole,
    email: str | None,
    max_uses: int | None,
    expires_in_s: int,
    created_by: int,
) -> tuple[Invite, str]:
    """A new invite, with the code that redeems it."""
    code = secrets.token_urlsafe(16)
    row = await connection.fetchrow(
        f"""
        INSERT INTO invites (workspace_id, code_hash, role, email, email_key, max_uses, expires_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $8)
        RETURNING {_INVITE}
        """,
        workspace_id,
        digest_of(code),
        role,
        email,
        None if email is None else fold(email),
        max_uses,
        timedelta(seconds=expires_in_s),
        created_by,
    )
    assert row is not None
    return struct_from(row, Invite), code


async def hold_workspace(connection: Connection, code: str, email: str) -> int | None:
    """The workspace that the code opens for `email`, spent or not; held until the transaction ends.

    Locks go from the workspace to its invites: deleting a workspace takes them in that order too.
    """
    return await connection.fetchval(
        """
        SELECT w.id FROM invites i JOIN workspaces w ON w.id = i.workspace_id
        WHERE i.code_hash = $1 AND (i.email_key IS NULL OR i.email_key = $2) FOR NO KEY UPDATE OF w
        """,
        digest_of(code),
        fold(email),
    )


async def redeem(connection: Connection, code: str, email: str) -> WorkspaceRole:
    """Use the code once for `email`; returns the role it gives. Raises InviteGone for a spent or expired one."""
    role = await connection.fetchval(
        """
        UPDATE invites SET uses = uses + 1
        WHERE code_hash = $1 AND (email_key IS NULL OR email_key = $2)
          AND expires_at > now() AND (max_uses IS NULL OR uses < max_uses)
        RETURNING role
        """,
        digest_of(code),
        fold(email),
    )
    if role is None:
        raise InviteGone
    return WorkspaceRole(role)


async def list_(connection: Connection, workspace_id: int, *, limit: int, offset: int) -> Sequence[Invite]:
    """The invites of a workspace, the newest first, also spent and expired ones."""
    rows = await connection.fetch(
        f"SELECT {_INVITE} FROM invites WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3",
        workspace_id,
        limit,
        offset,
    )
    return [struct_from(row, Invite) for row in rows]


async def creator_of(connection: Connection, workspace_id: int, invite_id: int) -> int | None:
    """Who made the invite; None if the workspace has none of that id."""
    return await connection.fetchval(
        "SELECT created_by FROM invites WHERE workspace_id = $1 AND id = $2", workspace_id, invite_id
    )


async def delete(connection: Connection, workspace_id: int, invite_id: int) -> None:
    """From now on the code is unknown."""
    await connection.execute("DELETE FROM invites WHERE workspace_id = $1 AND id = $2", workspace_id, invite_id)


async def delete_of(
    connection: Connection, workspace_id: int, user_id: int, *, keep: Collection[WorkspaceRole] = ()
) -> None:
    """Delete the invites that a user made, but for those to the roles in `keep`."""
    await connection.execute(
        "DELETE FROM invites WHERE workspace_id = $1 AND created_by = $2 AND NOT role = ANY($3::text[])",
        workspace_id,
        user_id,
        [role.value for role in keep],
    )
