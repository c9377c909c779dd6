"""What the built-in search holds, to be compared.

BuiltinContents   a Contents
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from fechatter.domain.search import Document
from fechatter.domain.vectors import indexed
from fechatter.search.verifying import Flaws
from fechatter.store.database import Database
from fechatter.store.search import comparing


class BuiltinContents:
    """Each question is answered by the database as it is at that moment."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def load(self) -> None:
        return

    async def flaws(self, documents: Sequence[Document]) -> Flaws:
        vectors = await asyncio.to_thread(lambda: [indexed(each.content).vector for each in documents])
        async with self._db.connection() as connection:
            missing, stale = await comparing.flawed(connection, [each.message_id for each in documents], vectors)
        return Flaws(missing, stale)

    async def ids(self) -> AsyncGenerator[list[int]]:
        async with self._db.connection() as connection:
            async for some in comparing.ids(connection):
                yield some

    async def flaws_now(self, documents: Sequence[Document], gone: Sequence[int]) -> tuple[Flaws, list[int]]:
        flaws = await self.flaws(documents)
        async with self._db.connection() as connection:
            return flaws, await comparing.kept(connection, gone)
