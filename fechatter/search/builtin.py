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
GROWTH, MOST_BLOCKS = 8, 48
"""A stretch is so many times as long as all before, at most: what was seen of few blocks says little of many."""
AT_ONCE = 1_000
"""With so few hits expected in all that is left, it is searched at once."""
MOST_KEYS = 16
"""So many chats are a filter that is always looked up in the index."""
MOST_CHATS = 1_000
"""So many are looked up one by one, if little is said in them (_are_quiet)."""
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
            newest, said = await finding.extent(connection, query.chats)
            look = _look_in_chats if _are_quiet(len(query.chats), said, newest) else _look_by_stretches
            meant = await spellings.as_typed(connection, wanted)
            best = min(max(query.offset + query.limit, FEW), MOST_FOUND)
            found, total = await look(connection, _wanted(query, wanted, meant), newest, best)
            if total < FEW:
                meant = await spellings.as_meant(connection, wanted)
                more, total = await look(connection, _wanted(query, wanted, meant), newest, best)
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


def _are_quiet(chats: int, said: int, newest: int) -> bool:
    """Whether each chat is best looked up by itself: that reads all that is `said` in them. By stretches is read what
    has the words, whoever said it, until enough is theirs: for a common word MOST_FOUND / (said / newest) rows. A row
    costs more the first way, for it is looked at."""
    return MOST_KEYS < chats <= MOST_CHATS and 2 * said * said <= MOST_FOUND * newest


async def _look_in_chats(connection: Connection, wanted: Wanted, newest: int, best: int) -> tuple[list[Hit], int]:
    """The best of the newest MOST_FOUND hits, and how many those are."""
    condition = tsquery.all_of([wanted.words, *wanted.keys[1:]])
    in_chats = [_in_chats([chat]) for chat in wanted.chats]
    each = msgspec.structs.replace(wanted, in_chats=in_chats, condition=condition)
    return await finding.hits(connection, each, 0, newest, newest=MOST_FOUND, best=best)


async def _look_by_stretches(connection: Connection, wanted: Wanted, newest: int, best: int) -> tuple[list[Hit], int]:
    """The same, the newest blocks first."""
    found: list[Hit] = []
    total, high, blocks = 0, newest, FIRST_BLOCKS
    while high > 0 and total < MOST_FOUND:
        low = max((high // BLOCK + 1 - blocks) * BLOCK - 1, 0) if blocks else 0
        stretch = _in_blocks(wanted, low, high) if blocks else wanted
        hits, count = await finding.hits(connection, stretch, low, high, newest=MOST_FOUND - total, best=best)
        found, total, high = [*found, *hits], total + count, low
        blocks = _next_stretch(total, newest - low, low)
    return _ranked(found), total


def _next_stretch(found: int, searched: int, left: int) -> int:
    """How many blocks to search next, if hits lie as densely as they have so far; 0: all that are left."""
    density = found / max(searched, 1)
    if density * left <= AT_ONCE:
        return 0
    enough = int((MOST_FOUND - found) * 1.2 / density / BLOCK) + 1
    blocks = min(enough, GROWTH * (searched // BLOCK + 1), MOST_BLOCKS)
    return blocks if blocks < left / BLOCK / 2 else 0


def _in_blocks(wanted: Wanted, low: int, high: int) -> Wanted:
    blocks = range((low + 1) // BLOCK, high // BLOCK + 1)
    return msgspec.structs.replace(wanted, keys=[*wanted.keys, tsquery.any_of(f"b:{block}" for block in blocks)])


def _wanted(query: Query, wanted: Sequence[Clause], meant: Meant) -> Wanted:
    """A clause whose last word begins too many words is looked up by its first letters, and then looked at."""
    narrow = [clause for clause in wanted if clause.prefix not in meant.wide or clause.is_exact]
    wide = [clause for clause in wanted if clause.prefix in meant.wide and not clause.is_exact]
    words = tsquery.of_clauses(wanted, names_only=query.names_only, also=meant.others, prefixes=meant.wide)
    exact = [tsquery.of_clauses(narrow, names_only=query.names_only, also=meant.others)] if narrow else []
    whole = tsquery.of_clauses(wanted, names_only=query.names_only)
    return Wanted(
        keys=[tsquery.all_of([*exact, *map(tsquery.wide, wide)]), *_filters(query)],
        in_chats=None,
        condition=words if wide else None,
        words=words,
        whole=None if whole == words else whole,
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
