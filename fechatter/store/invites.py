"""Invites to a workspace. Codes are stored hashed and shown once.

insert   a new invite and its code
redeem   use a code once
"""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec

from fechatter.domain.errors import InviteGone, NotFound
from fechatter.domain.people import WorkspaceRole
from fechatter.domain.text import fold
from fechatter.store.database import Connection, struct_from


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


class Redeemed(msgspec.Struct, frozen=True):
    workspace_id: int
    role: WorkspaceRole


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
        """
        INSERT INTO invites (workspace_id, code_hash, role, email, email_key, max_uses, expires_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $8)
        RETURNING id, workspace_id, role, email, max_uses, uses, expires_at, created_by, created_at
        """,
        workspace_id,
        _hash(code),
        role,
        email,
        None if email is None else fold(email),
        max_uses,
        timedelta(seconds=expires_in_s),
        created_by,
    )
    assert row is not None
    return struct_from(row, Invite), code


async def redeem(connection: Connection, code: str, email: str) -> Redeemed:
    """Use the code once for `email`. Raises NotFound for an unknown code (or another's), InviteGone for a spent one."""
    row = await connection.fetchrow(
        """
        UPDATE invites SET uses = uses + 1
        WHERE code_hash = $1 AND (email_key IS NULL OR email_key = $2)
          AND expires_at > now() AND (max_uses IS NULL OR uses < max_uses)
        RETURNING workspace_id, role
        """,
        _hash(code),
        fold(email),
    )
    if row is not None:
        return Redeemed(row["workspace_id"], WorkspaceRole(row["role"]))
    known = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM invites WHERE code_hash = $1 AND (email_key IS NULL OR email_key = $2))",
        _hash(code),
        fold(email),
    )
    raise InviteGone if known else NotFound("This invite does not exist: check the link, or ask for a new one.")


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="replace")).digest()
