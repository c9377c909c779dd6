"""The twin in memory: the meaning of a search without the speed. For tests.

MemoryIndex   an Index
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from fechatter.domain.search import MOST_FOUND, Backend, Document, Found, Hit, Mark, Query
from fechatter.domain.spelling import is_within, near
from fechatter.domain.vectors import NAME, NAME_PART, PART, WHOLE, Posting, postings
from fechatter.domain.words import Clause, Token, clauses, tokens
from fechatter.search.index import Health, Progress

_EXACT, _PREFIX, _TYPO = 3.0, 2.0, 1.0
_BETWEEN = 1_000_000
"""Places between the text and each file name, so that no phrase goes across."""


class _Entry(msgspec.Struct, frozen=True):
    document: Document
    words: Mapping[str, Sequence[Posting]]


class MemoryIndex:
    """All messages in a dictionary. Passes for the built-in search, in whose place it is put.

    _entries   by message id
    """

    backend = Backend.BUILTIN

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    async def index(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._entries[document.message_id] = _Entry(document, _words_of(document))

    async def remove(self, message_ids: Sequence[int]) -> None:
        for message_id in message_ids:
            self._entries.pop(message_id, None)

    async def search(self, query: Query) -> Found:
        wanted = clauses(query.text)
        if not wanted:
            return Found([], 0, [])
        scored = [(score, entry) for entry in self._candidates(query) if (score := _score(entry, wanted, query))]
        newest = sorted(scored, key=lambda each: -each[1].document.message_id)[:MOST_FOUND]
        ranked = sorted(newest, key=lambda each: (-each[0], -each[1].document.message_id))
        page = ranked[query.offset : query.offset + query.limit]
        hits = [Hit(entry.document.message_id, score) for score, entry in page]
        return Found(hits, min(len(scored), MOST_FOUND), list(self._marks(wanted, [entry for _, entry in page])))

    async def rebuild(self, report: Callable[[Progress], None]) -> None:
        report(Progress(len(self._entries), len(self._entries)))

    async def health(self) -> Health:
        return Health(available=True, behind=0, detail=f"{len(self._entries)} messages in memory")

    def _candidates(self, query: Query) -> Iterator[_Entry]:
        chats = set(query.chats)
        for entry in self._entries.values():
            if entry.document.chat_id in chats and _passes(entry.document, query):
                yield entry

    def _marks(self, wanted: Sequence[Clause], entries: Sequence[_Entry]) -> Iterator[Mark]:
        seen: set[str] = set()
        for clause in wanted:
            for piece in clause.pieces:
                if piece.is_run:
                    yield Mark(piece.text)
                    continue
                for entry in entries:
                    for word in entry.words:
                        if word not in seen and _likeness(word, piece, clause):
                            seen.add(word)
                            yield Mark(word)


def _passes(document: Document, query: Query) -> bool:
    return (
        (query.sender_id is None or document.sender_id == query.sender_id)
        and (query.after is None or document.sent_at >= query.after)
        and (query.before is None or document.sent_at < query.before)
        and (not query.has_file or bool(document.file_names))
        and (query.mentions is None or query.mentions in document.mentions)
    )


def _words_of(document: Document) -> Mapping[str, Sequence[Posting]]:
    words = {word: list(where) for word, where in postings(list(tokens(document.content)), WHOLE, PART).items()}
    for n, name in enumerate(document.file_names, 1):
        for word, where in postings(list(tokens(name)), NAME, NAME_PART).items():
            words.setdefault(word, []).extend((place + n * _BETWEEN, weight) for place, weight in where)
    return words


def _score(entry: _Entry, wanted: Sequence[Clause], query: Query) -> float:
    """0: not a hit. Fresh messages are a little better than old ones."""
    words = entry.words
    if query.names_only:
        words = {
            word: kept
            for word, where in words.items()
            if (kept := [each for each in where if each[1] in (NAME, NAME_PART)])
        }
    scores = [_score_of(clause, words) for clause in wanted]
    if not all(scores):
        return 0.0
    age = datetime.now(UTC) - entry.document.sent_at
    return sum(scores) / len(scores) + 1 / (1 + max(age.days, 0) / 180)


def _score_of(clause: Clause, words: Mapping[str, Sequence[Posting]]) -> float:
    """Of the places where all pieces stand in a row, the best; a row is as good as its worst piece."""
    ends: dict[int, float] | None = None
    for piece in clause.pieces:
        span = len(piece.text) if piece.is_run else 1
        ends = {
            place + span: likeness if ends is None else min(likeness, ends[place])
            for place, likeness in dict(_places(piece, clause, words)).items()
            if ends is None or place in ends
        }
    return max((ends or {}).values(), default=0.0)


def _places(piece: Token, clause: Clause, words: Mapping[str, Sequence[Posting]]) -> Iterator[tuple[int, float]]:
    if not piece.is_run:
        for word, where in words.items():
            if likeness := _likeness(word, piece, clause):
                yield from ((place, likeness) for place, _ in where)
        return
    text = piece.text
    pairs = [text[n : n + 2] for n in range(len(text) - 1)] or [text]
    rows = [{place - n for place, _ in words.get(pair, ())} for n, pair in enumerate(pairs)]
    yield from ((place, _EXACT) for place in rows[0].intersection(*rows[1:]))


def _likeness(word: str, piece: Token, clause: Clause) -> float:
    if word == piece.text:
        return _EXACT
    if clause.is_exact or piece.is_run:
        return 0.0
    if piece is clause.pieces[-1] and clause.prefix is not None and word.startswith(clause.prefix):
        return _PREFIX
    return _TYPO if is_within(piece.text, word, near(piece.text)) else 0.0
