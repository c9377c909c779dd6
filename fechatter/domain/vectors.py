"""Vectors: the words of a message with their places, as the built-in index holds them.

content_vector, name_vector   of a text, of a file's name; as PostgreSQL reads a tsvector
postings                      the same before it is written
Posting                       where a word stands, and what kind of place that is

A word stands at a place of its own. A run has a place for each character, which holds the character and the pair that
begins there. So any stretch of a run is a row of pairs in neighbouring places.
"""

from collections.abc import Mapping

import msgspec

from fechatter.domain.words import inner_pairs, tokens

MOST_PLACES = 16_383
"""PostgreSQL counts no further in a vector; texts are not longer (limits.content_chars), and what is, is found by
its words, not by their order."""
WHOLE, NAME, NAME_PART, PART = "A", "B", "C", "D"
"""Weights: words and pairs within words, of the text and of file names; single characters and pairs across words."""


class Posting(msgspec.Struct, frozen=True):
    place: int
    weight: str


def content_vector(text: str) -> str:
    return _written(postings(text, WHOLE, PART))


def name_vector(name: str) -> str:
    return _written(postings(name, NAME, NAME_PART))


def postings(text: str, whole: str = WHOLE, part: str = PART) -> Mapping[str, list[Posting]]:
    """The words of a text, each with its places."""
    found: dict[str, list[Posting]] = {}
    place = 1
    for token in tokens(text):
        if not token.is_run:
            found.setdefault(token.text, []).append(Posting(place, whole))
            place += 1
            continue
        inner = inner_pairs(token.text)
        for n, char in enumerate(token.text):
            found.setdefault(char, []).append(Posting(place + n, part))
            pair = token.text[n : n + 2]
            if len(pair) == 2:
                found.setdefault(pair, []).append(Posting(place + n, whole if n in inner else part))
        place += len(token.text)
    return found


def _written(found: Mapping[str, list[Posting]]) -> str:
    return " ".join(
        f"{quoted(word)}:{','.join(f'{min(each.place, MOST_PLACES)}{each.weight}' for each in where)}"
        for word, where in found.items()
    )


def quoted(word: str) -> str:
    """As a lexeme in PostgreSQL's notation: nothing in it is syntax."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
