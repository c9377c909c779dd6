"""Change one's password."""

from fechatter.actions.identity.passwords import Passwords
from fechatter.domain.audit import Act
from fechatter.domain.errors import Conflict, Forbidden
from fechatter.domain.people import Caller
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.people import sessions, users


async def change_password(db: Database, passwords: Passwords, caller: Caller, current: str, new: str) -> None:
    """Store the new password and end every other session. Raises Forbidden if `current` is not the password."""
    async with db.connection() as connection:
        stored = await users.password_hash_of(connection, caller.user_id)
    if not await passwords.verify(current, stored):
        async with db.transaction() as tx:
            await audit.record(tx, Act.PASSWORD_REFUSED, actor=caller, subject_id=caller.user_id)
        raise Forbidden("The current password is wrong.")
    new_hash = await passwords.hash(new)
    async with db.transaction() as tx:
        if not await users.set_password(tx, caller.user_id, new_hash, instead_of=stored):
            raise Conflict("The password was changed elsewhere at this moment: sign in with the new one.")
        await sessions.end_all(tx, caller.user_id, except_session=caller.session_id)
        await audit.record(tx, Act.PASSWORD_CHANGED, actor=caller, subject_id=caller.user_id)
