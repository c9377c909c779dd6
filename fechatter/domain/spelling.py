"""Typing errors: which words are near each other.

near        how many errors a word forgives
is_within   whether two words are so near
variants    all that one error can make of a word
is_spelled  whether a word can have errors at all: a word of Latin letters, as people spell it
is_learnt   whether a word is one to remember: spelled, with a digit or two perhaps; no checksum
"""

from collections.abc import Iterator

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEAST, MOST = 4, 24
_LONG = 8


def near(word: str) -> int:
    """So many letters may be wrong, missing, too many or changed over with the next."""
    if not is_spelled(word):
        return 0
    return 1 if len(word) < _LONG else 2


def is_spelled(word: str) -> bool:
    return LEAST <= len(word) <= MOST and word.isascii() and word.isalpha()


def is_learnt(word: str) -> bool:
    if not (LEAST <= len(word) <= MOST and word.isascii() and word.isalnum() and word[0].isalpha()):
        return False
    return word.isalpha() or sum(map(str.isdigit, word)) <= 2


def is_within(one: str, other: str, most: int) -> bool:
    """Whether `most` errors make the one of the other (optimal string alignment)."""
    if not most or abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return row[-1] <= most


def variants(word: str) -> Iterator[str]:
    """Some fifty for each letter; fewer to look up than there are words."""
    for n in range(len(word) + 1):
        head, tail = word[:n], word[n:]
        yield from (head + letter + tail for letter in _LETTERS)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
