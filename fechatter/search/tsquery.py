"""Queries in PostgreSQL's notation. Whatever people type becomes quoted words: nothing of it is syntax.

of_clauses   what a query asks for
wide         what a clause whose last word is a beginning asks for at least
any_of       one of some keys
all_of       several conditions together

Spellings     for a word, the others that will do
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from fechatter.domain.vectors import NAME, NAME_PART, beginning, quoted
from fechatter.domain.words import Clause, Token

Spellings = Mapping[str, Sequence[str]]


def of_clauses(
    wanted: Iterable[Clause], *, names_only: bool, also: Spellings | None = None, prefixes: Set[str] = frozenset()
) -> str:
    """Every clause. `prefixes`: the last words that may be beginnings."""
    weights = f"{NAME}{NAME_PART}" if names_only else ""
    return all_of(_clause(clause, weights, also or {}, prefixes) for clause in wanted)


def wide(clause: Clause) -> str:
    """In any order: its words, and a word that begins with the same letters as its last one."""
    *pieces, last = clause.pieces
    return all_of([*(_run(p.text, "") if p.is_run else quoted(p.text) for p in pieces), quoted(beginning(last.text))])


def any_of(keys: Iterable[str]) -> str:
    return f"({' | '.join(quoted(key) for key in keys)})"


def all_of(conditions: Iterable[str]) -> str:
    return " & ".join(conditions)


def _clause(clause: Clause, weights: str, also: Spellings, prefixes: Set[str]) -> str:
    """Pieces in neighbouring places: a run takes a place for each character, and ends with a pair that takes two."""
    parts: list[str] = []
    step = 0
    for piece in clause.pieces:
        if parts:
            parts.append(f" <{step}> ")
        if piece.is_run:
            parts.append(_run(piece.text, weights))
            step = 1 if len(piece.text) == 1 else 2
        else:
            is_prefix = piece is clause.pieces[-1] and clause.prefix in prefixes
            others = () if clause.is_exact else also.get(piece.text, ())
            parts.append(_word(piece, weights, others, is_prefix=is_prefix))
            step = 1
    return f"({''.join(parts)})"


def _run(text: str, weights: str) -> str:
    pairs = [text[n : n + 2] for n in range(len(text) - 1)] or [text]
    return " <-> ".join(_lexeme(pair, weights) for pair in pairs)


def _word(piece: Token, weights: str, others: Sequence[str], *, is_prefix: bool) -> str:
    alternatives = [_lexeme(piece.text, f"{weights}*" if is_prefix else weights)]
    alternatives += [_lexeme(other, weights) for other in others]
    return alternatives[0] if len(alternatives) == 1 else f"({' | '.join(alternatives)})"


def _lexeme(word: str, marks: str) -> str:
    return f"{quoted(word)}:{marks}" if marks else quoted(word)
