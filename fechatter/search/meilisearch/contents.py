"""What Meilisearch's index holds, to be compared.

MeilisearchContents   a Contents
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from fechatter.domain.search import Document
from fechatter.search.meilisearch.documents import document
from fechatter.search.meilisearch.server import LIVE, Server
from fechatter.search.verifying import Flaws

_AT_ONCE = 5_000


class MeilisearchContents:
    """Stamps tell whether an entry is the one that a message makes.

    _stamps   by id, as of the last load
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stamps: dict[int, str] = {}

    async def load(self) -> None:
        self._stamps.clear()
        offset = 0
        while found := await self._server.stamps(LIVE, offset, _AT_ONCE):
            self._stamps.update((id_, stamp) for id_, stamp in found if id_ > 0)
            offset += len(found)

    async def flaws(self, documents: Sequence[Document]) -> Flaws:
        return await asyncio.to_thread(_flaws, self._stamps, documents)

    async def ids(self) -> AsyncGenerator[list[int]]:
        yield list(self._stamps)

    async def flaws_now(self, documents: Sequence[Document], gone: Sequence[int]) -> tuple[Flaws, list[int]]:
        stamps = await self._server.stamps_of(LIVE, [*(each.message_id for each in documents), *gone])
        return await asyncio.to_thread(_flaws, stamps, documents), [each for each in gone if each in stamps]


def _flaws(stamps: Mapping[int, str], documents: Sequence[Document]) -> Flaws:
    return Flaws(
        missing=[each.message_id for each in documents if each.message_id not in stamps],
        stale=[
            each.message_id
            for each in documents
            if each.message_id in stamps and stamps[each.message_id] != document(each)["stamp"]
        ],
    )
