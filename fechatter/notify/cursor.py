"""Where a client stands in the event log, as a token: all it may see of the events below `xid` has reached it.

Clients pass cursors back and read nothing into them.
"""

import re
from typing import Self

import msgspec

MAX_CHARS = 64
_SHAPE = re.compile(r"([0-9A-Za-z]{1,40})\.([0-9]{1,19})", re.ASCII)


class Cursor(msgspec.Struct, frozen=True):
    """A point in the log of the database with this epoch. Restoring a database gives it a new epoch."""

    epoch: str
    xid: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.xid}"

    @classmethod
    def parse(cls, token: str) -> Self | None:
        """The cursor that `token` stands for; None if it is not one of ours."""
        found = _SHAPE.fullmatch(token)
        return None if found is None or len(token) > MAX_CHARS else cls(found[1], int(found[2]))
