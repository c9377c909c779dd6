"""End sessions: one's own, another of one's own, or all. What ends is refused at once, on open streams too."""

from fechatter.domain.audit import Act
from fechatter.domain.errors import NotFound, Unauthenticated
from fechatter.domain.people import Caller
from fechatter.store import audit
from fechatter.store.database import Database
from fechatter.store.people import sessions


async def sign_out(db: Database, caller: Caller) -> None:
    """End the caller's session. Raises Unauthenticated if it had ended."""
    async with db.transaction() as tx:
        if not await sessions.end_of_user(tx, caller.user_id, caller.session_id):
            raise Unauthenticated("The session has ended: sign in again.")
        await audit.record(tx, Act.SIGNED_OUT, actor=caller, subject_id=caller.user_id)


async def sign_out_everywhere(db: Database, caller: Caller) -> None:
    """End all sessions of the caller. Raises Unauthenticated if the one that asks had ended."""
    async with db.transaction() as tx:
        ended = await sessions.end_all(tx, caller.user_id)
        if caller.session_id not in ended:
            raise Unauthenticated("The session has ended: sign in again.")
        await audit.record(tx, Act.SIGNED_OUT_EVERYWHERE, actor=caller, subject_id=caller.user_id, sessions=len(ended))


async def end_session(db: Database, caller: Caller, session_id: int) -> None:
    """End one of the caller's sessions. Raises NotFound for one that has ended or is another's."""
    async with db.transaction() as tx:
        if not await sessions.end_of_user(tx, caller.user_id, session_id):
            raise NotFound
        await audit.record(tx, Act.SESSION_ENDED, actor=caller, subject_id=caller.user_id, session=session_id)
