"""What a consumer hands events to, and how a handler says what went wrong.

Handler     gets the events
Away        the other side cannot take them now: they come again, for as long as it lasts
StartOver   why the log cannot tell what was missed
Start       where a consumer begins that has never run
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from fechatter.store.log.replay import LoggedEvent


class Start(StrEnum):
    """NOW: what happens from now on. BEGINNING: all that the log holds, after `start_over` if its beginning is gone."""

    NOW = "now"
    BEGINNING = "beginning"


class StartOver(StrEnum):
    """PRUNED: events that were not handled have been deleted by age. NEW_EPOCH: the database is a restored one."""

    PRUNED = "pruned"
    NEW_EPOCH = "new_epoch"


class Away(Exception):
    """Nothing is wrong with the events: whoever takes them does not answer, or is full. Its text is for the log."""


class Handler(Protocol):
    """Both may be cancelled at any point, and called again with what they have seen already."""

    async def handle(self, events: Sequence[LoggedEvent]) -> None:
        """Return once nothing of these can be lost. Raise Away to get them again until it works.

        Whatever else is raised counts against the events: if it happens repeatedly they are handed over one by one,
        and those that fail alone are set aside.
        """
        ...

    async def start_over(self, why: StartOver) -> None:
        """Make good by other means whatever the log held before this moment; then events follow."""
        ...
