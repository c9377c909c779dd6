"""A query as Meilisearch is asked it.

question   words, filter and fields; None: the query has no word

Everything that a user typed arrives as words of letters and digits in quotes of ours, or as numbers: there is nothing
left in it that Meilisearch could take for syntax.
"""

from collections.abc import Iterator, Sequence

import msgspec

from fechatter.domain.search import Mark, Query
from fechatter.domain.words import Clause, Token, clauses
from fechatter.search.meilisearch.documents import NAMES, WORDS, is_opaque, spelled_out

MOST_TERMS = 10
"""Meilisearch looks at no more words and phrases than that; the longest say most."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """`runs`: what of the query is found letter by letter, to be marked as it was typed."""

    text: str
    filter: Sequence[str]
    fields: list[str]
    runs: Sequence[Mark]


def question(query: Query) -> Question | None:
    wanted = clauses(query.text)
    if not wanted or not query.chats:
        return None
    terms, characters = _terms(wanted)
    field = "name_characters" if query.names_only else "characters"
    return Question(
        text=" ".join(terms),
        filter=[*_filter(query), *(f'{field} = "{char}"' for char in dict.fromkeys(characters))],
        fields=[NAMES] if query.names_only else [WORDS, NAMES],
        runs=[Mark(piece.text) for clause in wanted for piece in clause.pieces if _is_letter_by_letter(piece)],
    )


def _filter(query: Query) -> Iterator[str]:
    yield f"chat_id IN [{','.join(map(str, query.chats))}]"
    if query.sender_id is not None:
        yield f"sender_id = {query.sender_id}"
    if query.after is not None:
        yield f"sent_at >= {int(query.after.timestamp() * 1_000_000)}"
    if query.before is not None:
        yield f"sent_at < {int(query.before.timestamp() * 1_000_000)}"
    if query.has_file or query.names_only:
        yield "has_file = true"
    if query.mentions is not None:
        yield f"mentions = {query.mentions}"


def _terms(wanted: Sequence[Clause]) -> tuple[list[str], list[str]]:
    """Words and phrases, and single characters. Meilisearch takes the last word for a beginning, so the last clause
    that may be one comes last."""
    growing = next((clause for clause in reversed(wanted) if clause.prefix is not None), None)
    terms: list[str] = []
    characters: list[str] = []
    for clause in wanted:
        if clause is growing:
            continue
        if (character := _single(clause)) is not None:
            characters.append(character)
        elif (term := _term(clause)) is not None:
            terms.append(term)
    ending = list(_growing(growing)) if growing is not None else []
    most = MOST_TERMS - len(ending)
    if len(terms) > most:
        kept = set(sorted(terms, key=len, reverse=True)[:most])
        terms = [term for term in terms if term in kept][:most]
    return terms + ending, characters


def _single(clause: Clause) -> str | None:
    first = clause.pieces[0]
    return first.text if len(clause.pieces) == 1 and first.is_run and len(first.text) == 1 else None


def _term(clause: Clause) -> str | None:
    """A word, or a phrase; a word that is too short to be a beginning is put in quotes, or it would be one."""
    words = list(spelled_out(clause.pieces, closed=False))
    if clause.prefix is not None and len(words) == 1:
        return words[0]
    return f'"{" ".join(words)}"' if words else None


def _growing(clause: Clause) -> Iterator[str]:
    """A word that may go on; what it must follow is a phrase before it."""
    before = list(spelled_out(clause.pieces[:-1]))
    if before:
        yield f'"{" ".join(before)}"'
    yield from spelled_out(clause.pieces[-1:])


def _is_letter_by_letter(piece: Token) -> bool:
    """A run or a symbol: no typing errors, no beginnings."""
    return piece.is_run or is_opaque(next(spelled_out([piece]), ""))
