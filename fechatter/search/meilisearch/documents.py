"""A message as Meilisearch holds it, and the settings that go with it.

SETTINGS, VERSION   of the index; with another version it is built anew
document            a message's entry
spelled_out         tokens as words that Meilisearch takes as they are
is_opaque           whether such a word is a code
as_typed            what else it is

Texts are cut into words by fechatter/domain/words.py, as for the built-in search, so that both find the same.
Meilisearch would cut Chinese by a dictionary, and find only what its dictionary cut at the same places. Instead each
pair of neighbours in a run becomes a code of Latin letters, with the last character alone at the end: any stretch of
two or more is a phrase of codes. Single characters are a filter. And there is no punctuation that could be syntax.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from meilisearch_python_sdk.models.settings import MeilisearchSettings, MinWordSizeForTypos, Pagination, TypoTolerance

from fechatter.domain.search import MOST_FOUND, Document
from fechatter.domain.words import Token, tokens

VERSION = 1
"""Counts up with each change of SETTINGS or of what `document` makes."""
CODE, NO_CODE = "zq", "zqw"
"""What a code begins with, and a word that looks like one."""
WORDS, NAMES = "words", "names"
SETTINGS = MeilisearchSettings(
    searchable_attributes=[WORDS, NAMES],
    displayed_attributes=["*"],
    filterable_attributes=[
        *("chat_id", "workspace_id", "sender_id", "mentions", "sent_at", "has_file", "characters", "name_characters")
    ],
    sortable_attributes=["sent_at", "id"],
    ranking_rules=["words", "typo", "proximity", "attribute", "exactness", "sent_at:desc", "id:desc"],
    stop_words=[],
    synonyms={},
    non_separator_tokens=["+", "#"],  # c++, c#
    typo_tolerance=TypoTolerance(
        enabled=True,
        disable_on_numbers=True,
        min_word_size_for_typos=MinWordSizeForTypos(one_typo=4, two_typos=8),
    ),
    pagination=Pagination(max_total_hits=MOST_FOUND),
)


def document(message: Document) -> dict[str, Any]:
    """The entry of a message. `stamp` tells whether an entry is the one that this message makes."""
    words = list(tokens(message.content))
    names = [list(tokens(name)) for name in message.file_names]
    entry: dict[str, Any] = {
        "id": message.message_id,
        "chat_id": message.chat_id,
        "workspace_id": message.workspace_id,
        "sender_id": message.sender_id,
        "mentions": list(message.mentions),
        "sent_at": int(message.sent_at.timestamp() * 1_000_000),
        "has_file": bool(names),
        WORDS: " ".join(spelled_out(words)),
        NAMES: [" ".join(spelled_out(name)) for name in names],
        "characters": _characters([words, *names]),
        "name_characters": _characters(names),
    }
    entry["stamp"] = hashlib.blake2b(msgspec.json.encode(entry), digest_size=8).hexdigest()
    return entry


def spelled_out(found: Iterable[Token], *, closed: bool = True) -> Iterator[str]:
    """Not `closed`: the last run may go on in the text, so nothing is said of its end."""
    pieces = list(found)
    for n, piece in enumerate(pieces):
        if piece.is_run:
            yield from _codes_of_run(piece.text, closed=closed or n < len(pieces) - 1)
        elif any(char.isalnum() for char in piece.text):
            yield NO_CODE + piece.text if piece.text.startswith(CODE) else piece.text
        else:
            yield _code(piece.text)


def is_opaque(word: str) -> bool:
    return word.startswith(CODE) and not word.startswith(NO_CODE)


def as_typed(word: str) -> str:
    """A word that is no code, as it stands in texts."""
    return word.removeprefix(NO_CODE)


def _codes_of_run(run: str, *, closed: bool) -> Iterator[str]:
    yield from (_code(run[n : n + 2]) for n in range(len(run) - 1))
    if closed:
        yield _code(run[-1])


def _code(chars: str) -> str:
    return CODE + "".join(f"{ord(char):05x}" for char in chars)


def _characters(texts: Iterable[Iterable[Token]]) -> list[str]:
    return sorted({char for text in texts for token in text if token.is_run for char in token.text})
