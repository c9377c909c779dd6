"""What a search of messages asks for and finds, whatever searches.

Query      words, and which messages count
Document   a message as an index knows it
Found      ids of messages, best first, with what to mark in their text
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

MOST_FOUND = 1_000
"""So far `total` is exact, and so far results can be paged through."""
QUERY_CHARS = 1_024


class Backend(StrEnum):
    BUILTIN = "builtin"
    MEILISEARCH = "meilisearch"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to find: those with every word of `text`, each whole, as a beginning, or nearly so.

    `"…"` in the text is the only syntax: these words, so, one after the other. All else is words: `-word` excludes
    nothing, and a text without a word (`%`, `-`, `""`) finds nothing at all.

    chats       only these are searched, counted and suggested from: what the caller may read, thousands perhaps
    after       inclusive
    before      exclusive
    mentions    a user who is mentioned
    names_only  look only into the names of files
    offset      MOST_FOUND and beyond find nothing
    """

    text: str
    chats: Sequence[int]
    sender_id: int | None = None
    after: datetime | None = None
    before: datetime | None = None
    has_file: bool = False
    mentions: int | None = None
    names_only: bool = False
    limit: int = 20
    offset: int = 0


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not deleted. `mentions`: ids of users."""

    message_id: int
    workspace_id: int
    chat_id: int
    sender_id: int
    content: str
    file_names: Sequence[str]
    mentions: Sequence[int]
    sent_at: datetime


class Mark(msgspec.Struct, frozen=True):
    """What made a message a hit, folded as fechatter/domain/words.py folds: a word, the beginning of words, or a
    stretch of a text without spaces between words."""

    text: str
    is_prefix: bool = False


class Hit(msgspec.Struct, frozen=True):
    """Higher scores are better; they compare within one answer only."""

    message_id: int
    score: float


class Found(msgspec.Struct, frozen=True):
    """A page of hits. `total`: of all pages; exact up to MOST_FOUND, which also means "or more".

    Text and membership are read from PostgreSQL afterwards, so a hit may still turn out to be gone. The marks are
    looked for in that text, and never show anything that is not in it.
    """

    hits: Sequence[Hit]
    total: int
    marks: Sequence[Mark]
