"""Which backend answers: the one that the settings name, and the built-in search while that is away.

open_searching   what the settings ask for
Searching        an answer, and what is wrong with the one that should give it
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from fechatter import config
from fechatter.domain.search import Query
from fechatter.search.builtin import BuiltinIndex
from fechatter.search.fallback import Answered, Fallback
from fechatter.search.index import Index
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.server import Server
from fechatter.store.database import Database


class Searching(Protocol):
    async def search(self, query: Query) -> Answered:
        """Raises Unavailable when nobody can answer."""
        ...

    async def check(self) -> str:
        """One sentence on what is wrong with the backend that is wanted; empty: nothing."""
        ...


@asynccontextmanager
async def open_searching(settings: config.Search, db: Database) -> AsyncGenerator[Searching]:
    """Asks nobody yet: a server starts also while Meilisearch is away."""
    builtin = BuiltinIndex(db)
    if not settings.enabled:
        yield Alone(builtin)
        return
    async with Server.open(settings) as server:
        yield Fallback(MeilisearchIndex(db, server), builtin)


class Alone:
    """One backend that needs no other: it is away only when everything is."""

    def __init__(self, index: Index) -> None:
        self._index = index

    async def search(self, query: Query) -> Answered:
        return Answered(await self._index.search(query), self._index.backend, degraded=False)

    async def check(self) -> str:
        return ""
