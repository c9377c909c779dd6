"""Give somebody a new password, by the operator."""

from fechatter.actions.identity.passwords import Passwords
from fechatter.domain.audit import Act
from fechatter.domain.errors import OperatorError
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.people import sessions, users


async def reset_password(db: Database, passwords: Passwords, email: str, password: str) -> int:
    """Store the password and end all sessions; returns how many. Raises OperatorError for an unknown address."""
    new_hash = await passwords.hash(password)
    async with db.transaction() as tx:
        user = await users.by_email(tx, email)
        if user is None:
            raise OperatorError(f"Nobody has the address {email}.")
        await users.set_password(tx, user.id, new_hash, instead_of=await users.password_hash_of(tx, user.id))
        ended = await sessions.end_all(tx, user.id)
        await audit.record(tx, Act.PASSWORD_RESET, actor=None, subject_id=user.id, sessions=len(ended))
        return len(ended)
