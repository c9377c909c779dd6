"""Come in: sign up, sign in, go on with a refresh token, sign out.

Each answer is a SignedIn: who, in which session, with the refresh token and the workspace to show.
"""

import msgspec

from fechatter.actions.passwords import Passwords
from fechatter.domain.errors import Suspended, Unauthenticated
from fechatter.domain.people import Caller, User, UserStatus, Workspace
from fechatter.store import sessions, users, workspaces
from fechatter.store.database import Connection, Database


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
    """Begin a session. Raises Unauthenticated alike for unknown mail and wrong password, Suspended."""
    async with db.connection() as connection:
        known = await users.find_credentials(connection, email)
    if not await passwords.verify(password, known.password_hash if known else None) or known is None:
        raise Unauthenticated("The email address or the password is wrong: check both, or create an account.")
    if known.status is UserStatus.SUSPENDED or (known.workspaces and not known.active_workspaces):
        raise Suspended
    async with db.transaction() as tx:
        return await begin_session(tx, known.user_id, device, ttl_s)


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
        if not isinstance(rotated, sessions.Refusal):
            return await _signed_in(tx, rotated.caller, rotated.refresh_token)
    raise Unauthenticated("The session has ended: sign in again.")


async def sign_out(db: Database, session_id: int) -> None:
    """End the session at once, on every open stream too."""
    async with db.transaction() as tx:
        await sessions.end(tx, session_id)


async def _signed_in(tx: Connection, caller: Caller, refresh_token: str) -> SignedIn:
    user = await users.get(tx, caller.user_id)
    if user is None:
        raise Unauthenticated
    return SignedIn(caller, refresh_token, user, await workspaces.current_of(tx, caller.user_id))
