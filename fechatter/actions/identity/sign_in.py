"""Come in: sign in, go on with a refresh token.

Each answer is a SignedIn: who, in which session, with the refresh token and the workspace to show.
"""

import msgspec

from fechatter.actions.identity.passwords import Passwords
from fechatter.domain.audit import Act
from fechatter.domain.errors import Suspended, Unauthenticated
from fechatter.domain.people import Caller, User, UserStatus, Workspace
from fechatter.store import audit
from fechatter.store.database import Connection, Database
from fechatter.store.people import presence, sessions, users
from fechatter.store.people.users import Credentials
from fechatter.store.workspaces import workspaces


class Device(msgspec.Struct, frozen=True):
    """Where a session is used from, as its owner will see it in the list of sessions."""

    user_agent: str
    address: str


class SignedIn(msgspec.Struct, frozen=True):
    caller: Caller
    refresh_token: str
    user: User
    workspace: Workspace | None


async def sign_in(
    db: Database, passwords: Passwords, *, email: str, password: str, device: Device, ttl_s: int
) -> SignedIn:
    """Begin a session. Raises Unauthenticated alike for unknown mail and wrong password, Suspended after a right one.

    Whether the address is known, has a password or a wrong one was given: one look-up, one verification, one line in
    the audit log.
    """
    async with db.connection() as connection:
        known = await users.find_credentials(connection, email)
    fits = await passwords.verify(password, known.password_hash if known else None)
    if not fits or known is None:
        await _refuse(db, known, device, "wrong")
        raise Unauthenticated("The email address or the password is wrong: check both, or create an account.")
    if known.status is UserStatus.SUSPENDED or known.is_shut_out:
        await _refuse(db, known, device, "suspended")
        raise Suspended
    newer = await _rehash(passwords, password, known)
    async with db.transaction() as tx:
        if await users.hold_credentials(tx, known.user_id, known.password_hash) is not UserStatus.ACTIVE:
            raise Unauthenticated("The password has just been changed: sign in with the new one.")
        if await users.is_shut_out(tx, known.user_id):  # since the look-up
            raise Suspended
        if newer is not None:
            await users.set_password(tx, known.user_id, newer, instead_of=known.password_hash)
        signed_in = await begin_session(tx, known.user_id, device, ttl_s)
        await audit.record(tx, Act.SIGNED_IN, actor=signed_in.caller, subject_id=known.user_id)
        return signed_in


async def begin_session(tx: Connection, user_id: int, device: Device, ttl_s: int) -> SignedIn:
    """A new session of `user_id`, in the caller's transaction."""
    caller, refresh_token = await sessions.start(
        tx, user_id, ttl_s=ttl_s, user_agent=device.user_agent, address=device.address
    )
    return await _signed_in(tx, caller, refresh_token)


async def refresh(db: Database, refresh_token: str, ttl_s: int) -> SignedIn:
    """Go on with a session. Raises Unauthenticated; a token that was spent long ago ends the session."""
    async with db.transaction() as tx:
        rotated = await sessions.rotate(tx, refresh_token, ttl_s)
        if isinstance(rotated, sessions.Rotated):
            return await _signed_in(tx, rotated.caller, rotated.refresh_token)
        if isinstance(rotated, sessions.Reused):
            await audit.record(tx, Act.REFRESH_REUSED, actor=None, subject_id=rotated.caller.user_id)
    raise Unauthenticated("The session has ended: sign in again.")


async def _rehash(passwords: Passwords, password: str, known: Credentials) -> str | None:
    """A hash of today's cost, if the stored one was made at another."""
    if known.password_hash is None or not passwords.is_outdated(known.password_hash):
        return None
    return await passwords.hash(password)


async def _refuse(db: Database, known: Credentials | None, device: Device, why: str) -> None:
    async with db.transaction() as tx:
        subject_id = known.user_id if known else None
        await audit.record(
            tx, Act.SIGN_IN_FAILED, actor=None, subject_id=subject_id, address=device.address, reason=why
        )


async def _signed_in(tx: Connection, caller: Caller, refresh_token: str) -> SignedIn:
    await presence.note_active(tx, [caller.user_id])  # before their first stream, which alone would say "away"
    user = await users.get(tx, caller.user_id)
    if user is None:
        raise Unauthenticated
    return SignedIn(caller, refresh_token, user, await workspaces.current_of(tx, caller.user_id))
