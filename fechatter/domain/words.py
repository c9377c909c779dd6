"""Words: what texts and queries are cut into, so that the one is found by the other.

tokens       a text's words, each with its place in the text
fold_word    what two spellings of a word have in common
clauses      what a query asks for
inner_pairs  which neighbours in a run belong together
warm         load the Chinese dictionary, which takes half a second

Scripts that put spaces between words are cut into words: folded (case, width, accents), to be found whole, by their
beginning, or with a typing error. Scripts that do not (Chinese, Japanese, Thai …, and Korean, whose words are glued
together) come as runs, whose every stretch can be found: the index holds each character and each pair of neighbours.
rjieba knows which pairs lie within a word, which says what is the better hit, and cuts a query's runs into words.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec

from fechatter.domain.text import few_marks

WORD_CHARS = 64
"""Of a longer word the beginning counts: nobody types more of a checksum."""
MOST_CLAUSES = 32
"""What a query asks for beyond is not looked at: so many words single out any message."""
LEAST_PREFIX = 3
_WHOLE_RUN = 3

_RUN_CHARS = (
    "\u3005\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff\u1100-\u11ff\uac00-\ud7a3"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0edf\u1000-\u109f\u1780-\u17d3"
)
_SYMBOLS = "\u00a9\u00ae\u203c\u2049\u2122\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff"
_EMOJI = f"[\U0001f1e6-\U0001f1ff]{{2}}|[{_SYMBOLS}\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
# Marks that spelling leaves out as often as not: accents, Hebrew points, Arabic vowels and the stroke that widens.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0640\u0670\u06d6-\u06ed]"
)
_NO_DECOMPOSITION = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"})
_UNWRITTEN = re.compile("['\u2019\u02bc\uff07\u200c\u200d]")


class Token(msgspec.Struct, frozen=True):
    """A word or a run, folded, and where it stands in the text. `is_run`: no spaces between its words."""

    text: str
    start: int
    end: int
    is_run: bool


class Clause(msgspec.Struct, frozen=True):
    """Pieces that must stand one after the other. `is_exact`: it was quoted, so neither a beginning nor a typing error
    counts."""

    pieces: tuple[Token, ...]
    is_exact: bool

    @property
    def prefix(self) -> str | None:
        """Its last word, if any word that begins so will do."""
        last = self.pieces[-1]
        return None if self.is_exact or last.is_run or len(last.text) < LEAST_PREFIX else last.text


def tokens(text: str) -> Iterator[Token]:
    """The words and runs of a text, in order. Symbols are words of their own; punctuation is none."""
    for match in _pattern().finditer(text):
        is_run = match.lastgroup == "run"
        folded = unicodedata.normalize("NFKC", few_marks(match[0])) if is_run else fold_word(match[0])
        if folded:
            yield Token(folded, match.start(), match.end(), is_run)


@lru_cache(8192)
def fold_word(word: str) -> str:
    """`Café` and `CAFE` → `cafe`, `don't` → `dont`; never longer than WORD_CHARS."""
    folded = unicodedata.normalize("NFKC", word[: 4 * WORD_CHARS]).casefold()
    if not folded.isascii():
        folded = _ACCENTS.sub("", unicodedata.normalize("NFD", folded)).translate(_NO_DECOMPOSITION)
        folded = unicodedata.normalize("NFC", folded)
    return _UNWRITTEN.sub("", folded)[:WORD_CHARS]


def clauses(query: str) -> list[Clause]:
    """What every hit must have, each once. Empty: the query has no word."""
    found: dict[tuple[tuple[str, ...], bool], Clause] = {}
    for place, part in enumerate(_quoted(query)):
        for clause in _quote(part) if place % 2 else _loose(part):
            found.setdefault((tuple(piece.text for piece in clause.pieces), clause.is_exact), clause)
            if len(found) == MOST_CLAUSES:
                return list(found.values())
    return list(found.values())


def inner_pairs(run: str) -> set[int]:
    """The places of the pairs of neighbours that lie within one word."""
    if len(run) < 2:
        return set()
    inner: set[int] = set()
    place = 0
    for word in _cut(run):
        inner.update(range(place, place + len(word) - 1))
        place += len(word)
    return inner


def warm() -> None:
    """Load what the first text would else wait for."""
    _pattern()
    _cut("我们")


def _quoted(query: str) -> list[str]:
    """Parts outside and, at odd places, inside of quotes. A quote that is not closed quotes nothing."""
    parts = query.replace("\u201c", '"').replace("\u201d", '"').split('"')
    if len(parts) % 2 == 0:
        parts[-2:] = [f"{parts[-2]} {parts[-1]}"]
    return parts


def _quote(text: str) -> Iterator[Clause]:
    if pieces := tuple(tokens(text)):
        yield Clause(pieces, is_exact=True)


def _loose(text: str) -> Iterator[Clause]:
    """Words that only punctuation joins stand together (node.js); runs are cut into their words."""
    for chunk in text.split():
        joined: list[Token] = []
        for token in tokens(chunk):
            if token.is_run:
                yield from _flush(joined)
                yield from (Clause((piece,), is_exact=False) for piece in _words_of(token))
            else:
                joined.append(token)
        yield from _flush(joined)


def _flush(joined: list[Token]) -> Iterator[Clause]:
    if joined:
        yield Clause(tuple(joined), is_exact=False)
        joined.clear()


def _words_of(run: Token) -> Iterator[Token]:
    """A short run is one word; else its words, with single characters glued to their like."""
    if len(run.text) <= _WHOLE_RUN:
        yield run
        return
    glued = ""
    for word in _cut(run.text):
        if len(word) == 1:
            glued += word
            continue
        if glued:
            yield Token(glued, run.start, run.end, is_run=True)
            glued = ""
        yield Token(word, run.start, run.end, is_run=True)
    if glued:
        yield Token(glued, run.start, run.end, is_run=True)


def _cut(run: str) -> Sequence[str]:
    return _dictionary().cut(run, hmm=False)


@cache
def _dictionary() -> Any:
    # Half a second and 30 MB: only who cuts Chinese loads it, and a server does so before it serves (warm).
    import rjieba

    return rjieba


@cache
def _pattern() -> re.Pattern[str]:
    r"""Python's \w leaves out the vowel signs of Indian scripts, which are inside of words."""
    marks = "".join(char for char in map(chr, range(0x300, 0x10000)) if unicodedata.category(char) in ("Mn", "Mc"))
    signs = "".join(f"\\u{ord(char):04x}" for char in marks if not re.match(f"[{_RUN_CHARS}]", char))
    letter = rf"(?:(?![{_RUN_CHARS}])[^\W_])"
    word = rf"{letter}(?:{letter}|[{signs}\u0640\u200c\u200d]|['\u2019\u02bc](?={letter}))*(?:\+\+|\#)?"
    return re.compile(rf"(?P<run>[{_RUN_CHARS}]+)|(?P<word>{word})|(?P<emoji>{_EMOJI})")
