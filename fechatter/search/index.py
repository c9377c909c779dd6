"""What searches messages: the interface that every backend has, with the same meaning.

Index      index, remove, search, rebuild, health
Health     whether it answers, and how far it is
Progress   of a rebuild

What goes in and comes out is in fechatter/domain/search.py. The answer of a backend is ids: who may read what, and the
text itself, are read from PostgreSQL for each answer (fechatter/search/answering.py).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from fechatter.domain.errors import Unavailable
from fechatter.domain.search import Backend, Document, Found, Query


class SearchAway(Unavailable):
    """The backend cannot answer at this moment; another may."""

    title = "The search cannot answer at this moment: try again in some seconds"


class Progress(msgspec.Struct, frozen=True):
    """Messages done, of so many (an estimate while others write)."""

    done: int
    of: int


class Health(msgspec.Struct, frozen=True):
    """`behind`: messages (built-in) or events (Meilisearch) that are still to be taken in. `detail`: one sentence for
    the operator."""

    available: bool
    behind: int
    detail: str


class Index(Protocol):
    """A search backend. Every method may raise SearchAway."""

    @property
    def backend(self) -> Backend: ...

    async def index(self, documents: Sequence[Document]) -> None:
        """Take messages in, or in anew; doing it again changes nothing."""
        ...

    async def remove(self, message_ids: Sequence[int]) -> None:
        """Forget messages; those that are not there do no harm."""
        ...

    async def search(self, query: Query) -> Found:
        """The best hits, in an order that stays the same from page to page."""
        ...

    async def rebuild(self, report: Callable[[Progress], None]) -> None:
        """Build the index anew while it serves. Goes on where it was when it was interrupted."""
        ...

    async def health(self) -> Health: ...
