"""Search by Meilisearch.

MeilisearchIndex   an Index
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from fechatter.domain.search import MOST_FOUND, Backend, Document, Found, Hit, Mark, Query
from fechatter.search.index import Health, Progress, SearchAway
from fechatter.search.meilisearch.building import build
from fechatter.search.meilisearch.documents import NAMES, WORDS, as_typed, document, is_opaque
from fechatter.search.meilisearch.questions import Question, question
from fechatter.search.meilisearch.server import LIVE, Server
from fechatter.store.database import Database
from fechatter.store.log import consumers
from fechatter.store.search import meilisearch_state as state
from fechatter.store.search.meilisearch_state import CONSUMER

PATIENCE = timedelta(seconds=20)
"""An index that lacks changes older than this is not asked: it would hide what was said since."""
_NOT_WHOLE = "Meilisearch's index is being built or brought up to date by the worker."


class MeilisearchIndex:
    """Messages in Meilisearch, fed by the indexer (fechatter/search/indexer.py). Answers ids."""

    backend = Backend.MEILISEARCH

    def __init__(self, db: Database, server: Server) -> None:
        self._db = db
        self._server = server

    async def index(self, documents: Sequence[Document]) -> None:
        await self._server.put(LIVE, [document(each) for each in documents])

    async def remove(self, message_ids: Sequence[int]) -> None:
        await self._server.remove(LIVE, message_ids)

    async def search(self, query: Query) -> Found:
        """Raises SearchAway also while the index is not whole, or lacks what is older than PATIENCE."""
        asked = question(query)
        if asked is None or query.offset >= MOST_FOUND:
            return Found([], 0, [])
        async with self._db.connection() as connection:
            if not await state.may_be_asked(connection, CONSUMER, PATIENCE):
                raise SearchAway(_NOT_WHOLE)
        page, per_page = _page(query.offset, query.limit)
        answer = await self._server.search(asked, page, per_page)
        first = query.offset - (page - 1) * per_page
        rows = answer.hits[first : min(first + query.limit, first + MOST_FOUND - query.offset)]
        hits = [Hit(row["id"], row["_rankingScore"]) for row in rows]
        return Found(hits, min(answer.total, MOST_FOUND), list(_marks(asked, rows)))

    async def rebuild(self, report: Callable[[Progress], None]) -> None:
        await build(self._db, self._server, report)

    async def health(self) -> Health:
        async with self._db.connection() as connection:
            whole = await state.may_be_asked(connection, CONSUMER, PATIENCE)
            behind = sum(each.behind for each in await consumers.standings(connection) if each.name == CONSUMER)
        count = await self._server.count(LIVE)
        if not whole:
            return Health(available=False, behind=behind, detail=_NOT_WHOLE)
        return Health(available=True, behind=behind, detail=f"{count} entries in Meilisearch, {behind} events behind")


def _page(offset: int, limit: int) -> tuple[int, int]:
    """A page of Meilisearch that holds the wanted hits: pages alone have exact totals."""
    if offset % limit == 0:
        return offset // limit + 1, limit
    return 1, offset + limit


def _marks(asked: Question, rows: Sequence[dict[str, Any]]) -> Iterator[Mark]:
    """What was typed of runs, and the words of the hits that Meilisearch matched, typing errors and all."""
    words = dict.fromkeys(chain.from_iterable(map(_matched, rows)))
    yield from dict.fromkeys(chain(asked.runs, map(Mark, words)))


def _matched(row: dict[str, Any]) -> Iterator[str]:
    """Meilisearch also tells of numbers that look like what was typed, in fields that were not searched: left out."""
    for field in (WORDS, NAMES):
        values: list[str] = [row[field]] if isinstance(row[field], str) else row[field]
        for place in row.get("_matchesPosition", {}).get(field, ()):
            value = values[(place.get("indices") or [0])[0]].encode()
            matched = value[place["start"] : place["start"] + place["length"]].decode(errors="ignore")
            # A beginning is marked as far as it was typed; the whole word is what the reader looks for.
            rest = value[place["start"] + place["length"] :].decode(errors="ignore").split(" ", 1)[0]
            yield from (as_typed(word) for word in (matched + rest).split(" ") if word and not is_opaque(word))
