"""Sign up: a new user, in a workspace of their own or in the one that an invite opens."""

import msgspec

from fechatter.actions.passwords import Passwords
from fechatter.actions.sign_in import Device, SignedIn, begin_session
from fechatter.domain.errors import EmailTaken, Forbidden
from fechatter.domain.events import Event, EventType, stream_of_workspace
from fechatter.domain.people import User, WorkspaceMember, WorkspaceRole
from fechatter.store import event_log, invites, users, workspaces
from fechatter.store.database import Connection, Database


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """What someone who signs up has told. `invite`: the code, if they have one."""

    fullname: str
    email: str
    password: str
    workspace: str | None = None
    invite: str | None = None


async def sign_up(
    db: Database, passwords: Passwords, newcomer: Newcomer, *, mode: str, device: Device, ttl_s: int
) -> SignedIn:
    """Store the user, the workspace or membership, and the first session together.

    mode    open, invite or closed (`auth.signup`); the very first user of an installation may always come in
    Raises EmailTaken, Forbidden by the mode, NotFound or InviteGone for the invite.
    """
    await _check_open(db, newcomer, mode)
    password_hash = await passwords.hash(newcomer.password)
    async with db.transaction() as tx:
        joins = None if newcomer.invite is None else await invites.redeem(tx, newcomer.invite, newcomer.email)
        user = await users.insert(tx, email=newcomer.email, fullname=newcomer.fullname, password_hash=password_hash)
        if joins is None:
            name = newcomer.workspace or newcomer.fullname
            await workspaces.insert(tx, name=name, description=None, owner_id=user.id)
        else:
            await join_workspace(tx, joins.workspace_id, user, joins.role)
        return await begin_session(tx, user.id, device, ttl_s)


async def join_workspace(tx: Connection, workspace_id: int, user: User, role: WorkspaceRole) -> WorkspaceMember | None:
    """Put the user into the workspace and tell the others; None if they were in it."""
    member = await workspaces.add_member(tx, workspace_id, user.id, role)
    if member is not None:
        added = Event(
            stream=stream_of_workspace(workspace_id),
            type=EventType.WORKSPACE_MEMBER_ADDED,
            payload=member,
            workspace_id=workspace_id,
        )
        await event_log.append(tx, [added])
    return member


async def _check_open(db: Database, newcomer: Newcomer, mode: str) -> None:
    """Refuse early, before a password is hashed for nothing."""
    async with db.connection() as connection:
        if await users.email_is_taken(connection, newcomer.email):
            raise EmailTaken
        if mode == "open" or (mode == "invite" and newcomer.invite is not None):
            return
        if not await users.any_exists(connection):
            return
    if mode == "invite":
        raise Forbidden("Signing up here takes an invite: ask a member for a link.")
    raise Forbidden("Signing up is closed here: ask the operator for an account.")
