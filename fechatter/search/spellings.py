"""What words may stand for: beginnings of other words, and words with typing errors.

as_typed   the last word of a query may be a beginning
as_meant   so may all, and each may be misspelt

Looked for among the words that there are. Which words those are is told to nobody: they only widen a search, whose
hits are the reader's own.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from fechatter.domain.spelling import is_learnt, is_spelled, is_within, near, variants
from fechatter.domain.words import Clause
from fechatter.store.database import Connection
from fechatter.store.search import finding

MOST_ENDINGS = 48
"""A word that begins more of them is looked up by its first letters instead."""
MOST_SPELLINGS = 16
MOST_CORRECTED = 8
"""So many words of a query are looked at for errors."""
_CANDIDATES = 100


class Meant(msgspec.Struct, frozen=True):
    """`others`: for a word, those that will do as well. `wide`: words that begin too many to name."""

    others: Mapping[str, Sequence[str]]
    wide: Set[str]


async def as_typed(connection: Connection, wanted: Sequence[Clause]) -> Meant:
    return await _beginnings(connection, [clause.prefix for clause in wanted[-1:] if clause.prefix])


async def as_meant(connection: Connection, wanted: Sequence[Clause]) -> Meant:
    loose = [clause for clause in wanted if not clause.is_exact]
    found = await _beginnings(connection, {clause.prefix for clause in loose if clause.prefix})
    words = dict.fromkeys(piece.text for clause in loose for piece in clause.pieces if not piece.is_run)
    misspelt = await _corrected(connection, [word for word in words if near(word)][:MOST_CORRECTED])
    others = {word: [*found.others.get(word, ()), *misspelt.get(word, [])[:MOST_SPELLINGS]] for word in words}
    return Meant({word: list(dict.fromkeys(each)) for word, each in others.items() if each}, found.wide)


async def _beginnings(connection: Connection, prefixes: Iterable[str]) -> Meant:
    others: dict[str, list[str]] = {}
    wide: set[str] = set()
    for prefix in prefixes:
        if not is_learnt(prefix.ljust(4, "a")):
            wide.add(prefix)
            continue
        others[prefix] = await finding.beginning_with(connection, prefix, MOST_ENDINGS + 1)
        if len(others[prefix]) > MOST_ENDINGS:
            del others[prefix]
            wide.add(prefix)
    return Meant(others, wide)


async def _corrected(connection: Connection, words: Sequence[str]) -> Mapping[str, list[str]]:
    """One error: what it may have made of the word is looked up. Two: what looks like the word is looked at."""
    if not words:
        return {}
    possible = {word: set(variants(word)) - {word} for word in words}
    there = await finding.spelled_like(connection, {other for others in possible.values() for other in others})
    found = {word: [other for other in there if other in possible[word]] for word in words}
    for word in words:
        if (most := near(word)) > 1:
            similar = await finding.similar(connection, word, (len(word) - most, len(word) + most), _CANDIDATES)
            found[word] += [other for other in similar if is_within(word, other, most) and other != word]
    return {word: [other for other in dict.fromkeys(each) if is_spelled(other)] for word, each in found.items()}
