"""What a message is found by, made ready to be stored with it.

found_by     the words of a text
Vocabulary   the words that this process has written down lately, so that it need not do so again
"""

import asyncio
from collections.abc import Iterable, Sequence

from fechatter.domain.vectors import LONG_CHARS, Indexed, indexed

MOST = 100_000
"""Some 10 MB. When it is full it is forgotten: writing a word down again changes nothing."""


async def found_by(text: str) -> Indexed:
    """A long text is cut up in a thread: the longest takes tens of milliseconds, in which others are answered."""
    return indexed(text) if len(text) <= LONG_CHARS else await asyncio.to_thread(indexed, text)


class Vocabulary:
    """
    _known   at most MOST of them
    """

    def __init__(self) -> None:
        self._known: set[str] = set()

    def unknown(self, words: Iterable[str]) -> list[str]:
        return list({word for word in words if word not in self._known})

    def learnt(self, words: Sequence[str]) -> None:
        """To be said when the transaction that wrote them has committed."""
        if len(self._known) + len(words) > MOST:
            self._known.clear()
        self._known.update(words)
