"""Vectors: the words of a message with their places, as the built-in index holds them.

indexed        a message's text as it is stored to be found
name_vector    the same for a file's name
postings       words with their places, before they are written
beginning      the key of a word's first letters
quoted         a word as a lexeme

A word stands at a place of its own. A run has a place for each character, which holds the character and the pair that
begins there. So any stretch of a run is a row of pairs in neighbouring places. The first three letters of words are
keys of their own, without places: PostgreSQL can look for beginnings itself, but reads all that begin so, however many.
"""

from collections.abc import Mapping, Sequence

import msgspec

from fechatter.domain.spelling import is_learnt
from fechatter.domain.words import LEAST_PREFIX, Token, inner_pairs, tokens

MOST_PLACES = 16_383
"""PostgreSQL counts no further in a vector; texts are not longer (limits.content_chars), and what is, is found by
its words, not by their order."""
MOST_CHARS = 40_000
"""What a text says beyond is not found: a vector has at most 1 MiB, and rare Chinese characters take 20 bytes each."""
MOST_SPELLED = 256
"""So many words of one text are learnt: a page of random letters is not to fill the list of words."""
LONG_CHARS = 2_000
"""A longer text takes milliseconds, so it is cut up beside the event loop, not in it."""
WHOLE, NAME, NAME_PART, PART = "A", "B", "C", "D"
"""Weights: words and pairs within words, of the text and of file names; single characters and pairs across words."""

Posting = tuple[int, str]
"""A place and its weight."""


class Indexed(msgspec.Struct, frozen=True):
    """`vector`: as PostgreSQL reads a tsvector. `spelled`: the words to be learnt, so that their beginnings and wrong
    spellings lead to them."""

    vector: str
    spelled: tuple[str, ...]


def indexed(text: str) -> Indexed:
    cut = list(tokens(text[:MOST_CHARS]))
    spelled = dict.fromkeys(token.text for token in cut if not token.is_run and is_learnt(token.text))
    return Indexed(_written(cut, postings(cut, WHOLE, PART)), tuple(spelled)[:MOST_SPELLED])


def name_vector(name: str) -> str:
    cut = list(tokens(name))
    return _written(cut, postings(cut, NAME, NAME_PART))


def postings(cut: Sequence[Token], whole: str, part: str) -> Mapping[str, list[Posting]]:
    """The words of a text, each with its places."""
    found: dict[str, list[Posting]] = {}
    place = 1
    for token in cut:
        if not token.is_run:
            found.setdefault(token.text, []).append((place, whole))
            place += 1
            continue
        _add_run(found, token.text, place, whole, part)
        place += len(token.text)
    return found


def beginning(word: str) -> str:
    """The key of all words that begin with the same three letters."""
    return f"^{word[:LEAST_PREFIX]}"


def quoted(word: str) -> str:
    """As a lexeme in PostgreSQL's notation: nothing in it is syntax."""
    if "\\" in word or "'" in word:
        word = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{word}'"


def _add_run(found: dict[str, list[Posting]], run: str, place: int, whole: str, part: str) -> None:
    inner = inner_pairs(run)
    last = len(run) - 1
    for n, char in enumerate(run):
        found.setdefault(char, []).append((place + n, part))
        if n < last:
            found.setdefault(char + run[n + 1], []).append((place + n, whole if n in inner else part))


def _written(cut: Sequence[Token], found: Mapping[str, list[Posting]]) -> str:
    placed = [
        f"{quoted(word)}:{','.join([f'{min(place, MOST_PLACES)}{weight}' for place, weight in where])}"
        for word, where in found.items()
    ]
    beginnings = {beginning(token.text) for token in cut if not token.is_run and len(token.text) >= LEAST_PREFIX}
    return " ".join([*placed, *map(quoted, beginnings)])
