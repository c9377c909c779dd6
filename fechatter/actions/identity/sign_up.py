"""Sign up: a new user, in a workspace of their own or in the one that an invite opens."""

import msgspec

from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.identity.sign_in import Device, SignedIn, begin_session
from fechatter.actions.workspaces.accept_invite import enter_by_invite
from fechatter.domain.audit import Act
from fechatter.domain.errors import EmailTaken, Forbidden
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.people import users
from fechatter.store.workspaces import invites, workspaces


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
    async with db.connection() as connection:
        # Refuse early, before a password is hashed for nothing.
        if await users.email_is_taken(connection, newcomer.email):
            raise EmailTaken
        await _check_open(connection, newcomer, mode)
    password_hash = await passwords.hash(newcomer.password)
    async with db.transaction() as tx:
        if mode != "open":
            await users.hold_first(tx)
            await _check_open(tx, newcomer, mode)
        return await _enter(tx, newcomer, password_hash, device, ttl_s)


async def _enter(tx: Connection, newcomer: Newcomer, password_hash: str, device: Device, ttl_s: int) -> SignedIn:
    if newcomer.invite is not None:
        await invites.hold_workspace(tx, newcomer.invite, newcomer.email)  # before the username: so does a profile
    user = await users.insert(tx, email=newcomer.email, fullname=newcomer.fullname, password_hash=password_hash)
    if newcomer.invite is None:
        name = newcomer.workspace or newcomer.fullname
        workspace_id = (await workspaces.insert(tx, name=name, description=None, owner_id=user.id)).id
    else:
        workspace_id = await enter_by_invite(tx, user, newcomer.invite)
    signed_in = await begin_session(tx, user.id, device, ttl_s)
    await audit.record(tx, Act.SIGNED_UP, actor=signed_in.caller, subject_id=user.id, workspace_id=workspace_id)
    return signed_in


async def _check_open(connection: Connection, newcomer: Newcomer, mode: str) -> None:
    if mode == "open" or (mode == "invite" and newcomer.invite is not None):
        return
    if not await users.any_exists(connection):
        return
    if mode == "invite":
        raise Forbidden("Signing up here takes an invite: ask a member for a link.")
    raise Forbidden("Signing up is closed here: ask the operator for an account.")
