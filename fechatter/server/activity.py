"""Who did something lately, and where: noted in passing, written down together.

Activity.note    a request of somebody
Activity.flush   write down what was noted
"""

from fechatter.domain.people import Caller
from fechatter.store.database import Database
from fechatter.store.people import presence, sessions, users


class Activity:
    """What requests of one process show of people.

    _sessions, _workspaces   by user, since the last flush
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._sessions: dict[int, int] = {}
        self._workspaces: dict[int, int] = {}

    def note(self, caller: Caller, workspace_id: int | None) -> None:
        """The caller did something, in a workspace if one was named."""
        self._sessions[caller.user_id] = caller.session_id
        if workspace_id is not None:
            self._workspaces[caller.user_id] = workspace_id

    async def flush(self) -> None:
        """Write down presence, last use of sessions, and the workspace that each used last. Loses it on an error."""
        active, self._sessions = self._sessions, {}
        used, self._workspaces = self._workspaces, {}
        if not active:
            return
        async with self._db.connection() as connection:
            await presence.note_active(connection, active)
            await sessions.note_seen(connection, active.values())
            if used:
                await users.note_workspaces(connection, used)
