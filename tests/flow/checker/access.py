"""Who has lost access since when, and who has a reason to be told to reload.

Access.ends, Access.ended          a session is being ended, has been ended
Access.shuts_out, Access.readmits  a workspace suspends somebody, takes them back
Access.check                       nobody may hear what was written 2 s after they lost access
Access.may_reload                  whether a cursor of some time ago may have become void
"""

import time

from tests.flow.checker.violation import hold

LEAVE_S = 2.0
LATE_S = 60.0
"""What was sent before may be read so much later: bytes wait in buffers, and processes are stopped for up to 30 s."""


class Access:
    """Kept by those who take access away, asked by those who listen. Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._ending: set[int] = set()
        self._ended: dict[int, float] = {}
        self._out: set[int] = set()
        self._out_since: dict[int, float] = {}
        self._readmitted: dict[int, float] = {}
        self._voided_at = -1e9

    def ends(self, session: int) -> None:
        """From here on its streams may be closed."""
        self._ending.add(session)

    def ended(self, session: int) -> None:
        """It was answered: 2 s from here nothing more is heard."""
        self._ended.setdefault(session, time.monotonic())

    def shuts_out(self, user_id: int) -> None:
        self._out.add(user_id)

    def is_out(self, user_id: int) -> None:
        self._out_since.setdefault(user_id, time.monotonic())

    def readmits(self, user_id: int) -> None:
        """The request to do so goes out."""
        self._out.discard(user_id)
        self._out_since.pop(user_id, None)
        self._readmitted[user_id] = time.monotonic()

    def voids_cursors(self) -> None:
        """The log was pruned, or the database replaced."""
        self._voided_at = time.monotonic()

    def check(self, session: int, user_id: int, began: float, key: str) -> None:
        """Somebody was told a message that was begun at `began`."""
        since = min(self._ended.get(session, 1e18), self._out_since.get(user_id, 1e18))
        hold(began <= since + LEAVE_S, f"{key} was written {began - since:.1f} s after access had ended, and told")

    def has_ended(self, session: int, user_id: int) -> bool:
        return session in self._ending or user_id in self._out

    def may_reload(self, taken_at: float) -> bool:
        return self._voided_at > taken_at - LATE_S

    def was_readmitted(self, user_id: int) -> bool:
        return time.monotonic() - self._readmitted.get(user_id, -1e9) < LATE_S
