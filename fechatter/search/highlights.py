"""What to mark in the text of a hit: found in the text as it is now.

highlights   the parts of a message's text and of the names of its files, those that matched marked
is_marked    whether anything in a text is
"""

from collections.abc import Iterator, Sequence

import msgspec

from fechatter.domain.messages import Message
from fechatter.domain.search import Mark
from fechatter.domain.words import Token, tokens

WHOLE_CHARS = 300
"""A text up to this length is shown whole; of a longer one, a stretch of it around the first match."""
BEFORE = 60
MOST_MARKS = 200
_CUT = "…"


class Part(msgspec.Struct, frozen=True):
    text: str
    match: bool


class Highlight(msgspec.Struct, frozen=True):
    """`field`: content, or the name of a file (`file`)."""

    field: str
    parts: list[Part]


def highlights(message: Message, marks: Sequence[Mark]) -> list[Highlight]:
    """The text first; files only if their names matched."""
    marker = Marker(marks)
    names = [Highlight("file", parts) for file in message.files if (parts := marker.parts(file.name, always=False))]
    return [Highlight("content", marker.parts(message.content, always=True)), *names] if message.content else names


class Marker:
    """Marks made ready to look for: whole words, beginnings of words, stretches of runs."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._words = {mark.text for mark in marks}
        self._beginnings = tuple({mark.text for mark in marks if mark.is_prefix})
        self._stretches = [mark.text for mark in marks]

    def parts(self, text: str, *, always: bool) -> list[Part]:
        """The text, or of a long one a stretch of it, in parts. Empty without a match, unless `always`."""
        spans: list[tuple[int, int]] = []
        begin, end = 0, len(text) if len(text) <= WHOLE_CHARS else WHOLE_CHARS
        for span in self._spans(text):
            if not spans and len(text) > WHOLE_CHARS:
                begin = max(span[0] - BEFORE, 0)
                end = min(begin + WHOLE_CHARS, len(text))
            if span[0] >= end or len(spans) == MOST_MARKS:
                break
            spans.append(span)
        return list(_cut(text, spans, begin, end)) if spans or always else []

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Places of matches, in order, apart from each other."""
        last = 0
        for token in tokens(text):
            for start, end in self._spans_in(token):
                if end > last:
                    yield max(start, last), end
                    last = end

    def _spans_in(self, token: Token) -> list[tuple[int, int]]:
        if not token.is_run:
            hit = token.text in self._words or (self._beginnings and token.text.startswith(self._beginnings))
            return [(token.start, token.end)] if hit else []
        if len(token.text) != token.end - token.start:  # widths were folded: places do not carry over
            return [(token.start, token.end)] if any(each in token.text for each in self._stretches) else []
        found = [
            (token.start + place, token.start + place + len(each))
            for each in self._stretches
            for place in _places(token.text, each)
        ]
        return sorted(found)


def _places(text: str, wanted: str) -> Iterator[int]:
    place = text.find(wanted)
    for _ in range(MOST_MARKS):
        if place < 0:
            return
        yield place
        place = text.find(wanted, place + len(wanted))


def _cut(text: str, spans: Sequence[tuple[int, int]], begin: int, end: int) -> Iterator[Part]:
    at = begin
    lead = _CUT if begin else ""
    for start, stop in spans:
        if lead or start > at:
            yield Part(f"{lead}{text[at:start]}", match=False)
            lead = ""
        yield Part(text[start : min(stop, end)], match=True)
        at = min(stop, end)
    tail = _CUT if end < len(text) else ""
    if lead or tail or at < end:
        yield Part(f"{lead}{text[at:end]}{tail}", match=False)
