"""Whether an index holds what the database does, and nothing else.

verify     compare all of it, while it is in use; what looks wrong is looked at again once the index had time to follow
Verdict    what is wrong
Contents   what a backend must be able to say about what it holds
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

import msgspec

from fechatter.domain.search import Document
from fechatter.search.index import Progress
from fechatter.store.database import Database
from fechatter.store.search import documents as store

AT_ONCE = 1_000
LOOKS = 3
PAUSE_S = 2.0
"""Before what looks wrong is looked at again: longer than a change takes."""


class Verdict(msgspec.Struct, frozen=True):
    """Ids of messages. `missing`: not in the index; `extra`: in it only; `stale`: there otherwise than it should be."""

    checked: int
    missing: list[int]
    extra: list[int]
    stale: list[int]

    @property
    def is_good(self) -> bool:
        return not (self.missing or self.extra or self.stale)


class Flaws(msgspec.Struct, frozen=True):
    missing: list[int]
    stale: list[int]


class Contents(Protocol):
    async def load(self) -> None:
        """Look at the index as it is now; what is asked next is answered by this look."""
        ...

    async def flaws(self, documents: Sequence[Document]) -> Flaws:
        """Which of these are not in the index as they are given."""
        ...

    def ids(self) -> AsyncGenerator[list[int]]:
        """All that the index holds."""
        ...

    async def flaws_now(self, documents: Sequence[Document], gone: Sequence[int]) -> tuple[Flaws, list[int]]:
        """As `flaws`, by a new look at these; and which of `gone` the index holds."""
        ...


async def verify(db: Database, contents: Contents, report: Callable[[Progress], None]) -> Verdict:
    """Memory: some 100 bytes a message."""
    await contents.load()
    checked, suspects = await _compare(db, contents, report)
    for look in range(LOOKS):
        if suspects.is_good:
            break
        await asyncio.sleep(PAUSE_S if look else PAUSE_S / 2)
        suspects = await _look_again(db, contents, suspects)
    return msgspec.structs.replace(suspects, checked=checked)


async def _compare(db: Database, contents: Contents, report: Callable[[Progress], None]) -> tuple[int, Verdict]:
    missing, stale, known = list[int](), list[int](), set[int]()
    async with db.connection() as connection:
        total = await store.count(connection)
    last = 0
    while True:
        async with db.connection() as connection:
            found = await store.after(connection, last, AT_ONCE)
        if not found:
            break
        last = found[-1].message_id
        known.update(each.message_id for each in found)
        flaws = await contents.flaws(found)
        missing += flaws.missing
        stale += flaws.stale
        report(Progress(len(known), max(total, len(known))))
    extra = [each async for ids in contents.ids() for each in ids if each not in known]
    return len(known), Verdict(len(known), missing, extra, stale)


async def _look_again(db: Database, contents: Contents, suspects: Verdict) -> Verdict:
    ids = [*suspects.missing, *suspects.stale, *suspects.extra]
    missing, stale, extra = list[int](), list[int](), list[int]()
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        async with db.connection() as connection:
            found = await store.of_messages(connection, some)
        gone = sorted(set(some) - {each.message_id for each in found})
        flaws, there = await contents.flaws_now(found, gone)
        missing += flaws.missing
        stale += flaws.stale
        extra += there
    return Verdict(0, missing, extra, stale)
