"""Say how one can be reached."""

from datetime import datetime

from fechatter.domain.people import Caller, Presence, UserPresence
from fechatter.store.database import Database
from fechatter.store.people import presence


async def set_presence(
    db: Database, caller: Caller, status: Presence, text: str | None, until: datetime | None
) -> UserPresence:
    """Store the choice, up to `until`, and tell those who share a chat with the caller."""
    async with db.transaction() as tx:
        return await presence.set_status(tx, caller.user_id, status, text, until)
