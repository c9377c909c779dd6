"""The built-in search, in PostgreSQL: what posts write, this finds.

BuiltinIndex   an Index

A word may be in half of all messages, and PostgreSQL's index finds all of them or none. So the newest messages are
looked at first, a stretch of ids at a time, until MOST_FOUND are found: of more hits than can be paged through, the
newest are ranked. A stretch is chosen by what the one before gave, so a rare word takes two.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from fechatter.domain.search import MOST_FOUND, Backend, Document, Found, Hit, Mark, Query
from fechatter.domain.words import Clause, clauses
from fechatter.search import spellings, tsquery
from fechatter.search.backfilling import catch_up, take_in
from fechatter.search.index import Health, Progress
from fechatter.search.spellings import Meant
from fechatter.store.database import Connection, Database
from fechatter.store.search import backfill, finding
from fechatter.store.search.finding import Wanted
from fechatter.store.search.message_words import BLOCK

FEW = 10
"""With fewer hits than that, words may be misspelt, or beginnings."""
FIRST_BLOCKS = 2
AT_ONCE = 2_000
"""So many rows may be read in one statement."""
MOST_BLOCKS = 48
MOST_KEYS = 16
"""So many chats are always looked up in the index; more, or MOST_SMALL, if they hold little of all that is said."""
MOST_SMALL = 500
SMALL = 0.05
MOST_MONTHS = 60


class BuiltinIndex:
    """Holds nothing: all is in the database."""

    backend = Backend.BUILTIN

    def __init__(self, db: Database) -> None:
        self._db = db

    async def search(self, query: Query) -> Found:
        """Raises Unavailable while the database is away."""
        wanted = clauses(query.text)
        if not wanted or not query.chats:
            return Found([], 0, [])
        async with self._db.connection() as connection:
            newest = await finding.newest_id(connection)
            meant = await spellings.as_typed(connection, wanted)
            best = min(max(query.offset + query.limit, FEW), MOST_FOUND)
            found, total = await _look(connection, _wanted(query, wanted, meant), newest, best)
            if total < FEW:
                meant = await spellings.as_meant(connection, wanted)
                more, total = await _look(connection, _wanted(query, wanted, meant), newest, best)
                found = _merged(found, more)
        page = found[:best][query.offset : query.offset + query.limit]
        return Found(page, total, list(_marks(wanted, meant)))

    async def index(self, documents: Sequence[Document]) -> None:
        """Anew from the database, which has what the documents say and may know better by now."""
        await take_in(self._db, [document.message_id for document in documents], anew=True)

    async def remove(self, message_ids: Sequence[int]) -> None:
        async with self._db.connection() as connection:
            await backfill.forget(connection, message_ids)

    async def rebuild(self, report: Callable[[Progress], None]) -> None:
        """Each message again, newest first, while searches go on. Several may help each other."""
        async with self._db.connection() as connection:
            await backfill.begin_anew(connection)
        while (left := await catch_up(self._db)) is not None:
            report(Progress(left.done, left.of))

    async def health(self) -> Health:
        async with self._db.connection() as connection:
            left = await backfill.progress(connection)
        if left is None:
            return Health(available=True, behind=0, detail="all messages can be found")
        text = f"messages from before are being taken in: {left.done:,} of about {left.of:,} are"
        return Health(available=True, behind=left.of - left.done, detail=text)


async def _look(connection: Connection, wanted: Wanted, newest: int, best: int) -> tuple[list[Hit], int]:
    """The best of the newest MOST_FOUND hits, and how many those are: of few chats at once, else by stretches."""
    if await _are_small(connection, wanted.chats, newest):
        in_chats = _with_keys(wanted, _in_chats(wanted.chats))
        return await finding.hits(connection, in_chats, 0, newest, newest=MOST_FOUND, best=best)
    found: list[Hit] = []
    total, high, blocks = 0, newest, FIRST_BLOCKS
    while high > 0 and total < MOST_FOUND:
        low = max((high // BLOCK + 1 - blocks) * BLOCK - 1, 0) if blocks else 0
        stretch = _in_blocks(wanted, low, high) if blocks else wanted
        hits, count = await finding.hits(connection, stretch, low, high, newest=MOST_FOUND - total, best=best)
        found, total, high = [*found, *hits], total + count, low
        blocks = _next_stretch(total, newest - low, low)
    return _ranked(found), total


async def _are_small(connection: Connection, chats: Sequence[int], newest: int) -> bool:
    """Whether the chats hold so little of all that is said that the index is best asked for them."""
    if not MOST_KEYS < len(chats) <= MOST_SMALL:
        return False
    return await finding.count_in(connection, chats) <= SMALL * newest


def _next_stretch(found: int, searched: int, left: int) -> int:
    """How many blocks to search next, if hits lie as densely as they have so far; 0: all that are left."""
    density = found / max(searched, 1)
    if density * left <= AT_ONCE:
        return 0
    return min(int((MOST_FOUND - found) * 1.2 / density / BLOCK) + 1, MOST_BLOCKS)


def _in_blocks(wanted: Wanted, low: int, high: int) -> Wanted:
    blocks = range((low + 1) // BLOCK, high // BLOCK + 1)
    return _with_keys(wanted, tsquery.any_of(f"b:{block}" for block in blocks))


def _with_keys(wanted: Wanted, keys: str) -> Wanted:
    return msgspec.structs.replace(wanted, keys=tsquery.all_of([wanted.keys, keys]))


def _wanted(query: Query, wanted: Sequence[Clause], meant: Meant) -> Wanted:
    """A clause whose last word begins too many words is looked up by its first letters, and then looked at."""
    narrow = [clause for clause in wanted if clause.prefix not in meant.wide or clause.is_exact]
    wide = [clause for clause in wanted if clause.prefix in meant.wide and not clause.is_exact]
    words = tsquery.of_clauses(wanted, names_only=query.names_only, also=meant.others, prefixes=meant.wide)
    exact = [tsquery.of_clauses(narrow, names_only=query.names_only, also=meant.others)] if narrow else []
    return Wanted(
        keys=tsquery.all_of([*exact, *map(tsquery.wide, wide), *_filters(query)]),
        condition=words if wide else None,
        words=words,
        whole=tsquery.of_clauses(wanted, names_only=query.names_only),
        chats=query.chats,
        after=query.after,
        before=query.before,
    )


def _filters(query: Query) -> Iterator[str]:
    """Those that the index knows."""
    if len(query.chats) <= MOST_KEYS:
        yield _in_chats(query.chats)
    if query.sender_id is not None:
        yield tsquery.any_of([f"s:{query.sender_id}"])
    if query.mentions is not None:
        yield tsquery.any_of([f"m:{query.mentions}"])
    if query.has_file or query.names_only:
        yield tsquery.any_of(["f:"])
    if query.after is not None and (months := _months(query.after, query.before)):
        yield tsquery.any_of(months)


def _in_chats(chats: Sequence[int]) -> str:
    return tsquery.any_of(f"c:{chat}" for chat in chats)


def _months(after: datetime, before: datetime | None) -> list[str]:
    """The months from the one to the other; none if they are too many to name."""
    start = after.astimezone(UTC)
    end = (before or datetime.now(UTC)).astimezone(UTC)
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month
    if not 0 < last - first < MOST_MONTHS:
        return []
    return [f"t:{month // 12:04}-{month % 12 + 1:02}" for month in range(first, last + 1)]


def _merged(exact: Sequence[Hit], more: Sequence[Hit]) -> list[Hit]:
    """What was typed comes before what may have been meant, among which it is as well."""
    first = {hit.message_id for hit in exact}
    typed = [Hit(hit.message_id, hit.score + 2) for hit in exact]
    return _ranked([*typed, *(hit for hit in more if hit.message_id not in first)])


def _ranked(found: Sequence[Hit]) -> list[Hit]:
    return sorted(found, key=lambda hit: (-hit.score, -hit.message_id))


def _marks(wanted: Sequence[Clause], meant: Meant) -> Iterator[Mark]:
    for clause in wanted:
        for piece in clause.pieces:
            is_last = piece is clause.pieces[-1]
            yield Mark(piece.text, is_prefix=is_last and not clause.is_exact and clause.prefix in meant.wide)
            if not clause.is_exact and not piece.is_run:
                yield from (Mark(other) for other in meant.others.get(piece.text, ()))
