"""What a notify server has to hear, counted by those connected to it.

Interest.gain, Interest.lose   one more, one less wants this subject
"""

import asyncio
from collections import Counter
from collections.abc import Set


class Interest:
    """Subjects somebody here wants.

    changed   set when `subjects` has changed; whoever acts on it clears it
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._counts: Counter[str] = Counter()

    @property
    def subjects(self) -> Set[str]:
        return self._counts.keys()

    def gain(self, subject: str) -> None:
        self._counts[subject] += 1
        if self._counts[subject] == 1:
            self.changed.set()

    def lose(self, subject: str) -> None:
        self._counts[subject] -= 1
        if self._counts[subject] <= 0:
            del self._counts[subject]
            self.changed.set()
