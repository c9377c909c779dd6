"""The interface of a bus, and its twin in memory.

Bus        says which streams have news
MemoryBus  the same inside one process, for tests that steer when a hint comes or is lost
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

OnNews = Callable[[str | None], None]
"""Called on the event loop with a stream's name, once for each hint; None: any may have news. Must return at once."""
OnEphemeral = Callable[[str], None]
"""Called on the event loop with the JSON of a domain.events.Ephemeral; must return at once."""


class Bus(Protocol):
    """A source of hints. Hints may be lost, late, doubled or in any order; whoever needs more asks the event log."""

    @property
    def alive(self) -> bool:
        """Whether a hint sent now would arrive, as far as can be known."""
        ...

    async def run(self, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        """Pass hints and ephemeral news on until cancelled; reconnects by itself while the other side is away."""
        ...


class MemoryBus:
    """Hints that `publish` passes on at once while `alive`, and loses otherwise."""

    def __init__(self) -> None:
        self.alive = True
        self._listeners: list[tuple[OnNews, OnEphemeral]] = []

    def publish(self, stream: str) -> None:
        """Hint that `stream` has news."""
        if self.alive:
            for on_news, _ in self._listeners:
                on_news(stream)

    def announce(self, ephemeral: str) -> None:
        """Tell ephemeral news."""
        if self.alive:
            for _, on_ephemeral in self._listeners:
                on_ephemeral(ephemeral)

    async def run(self, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        """Pass hints and news on until cancelled."""
        self._listeners.append((on_news, on_ephemeral))
        try:
            await asyncio.Event().wait()
        finally:
            self._listeners.remove((on_news, on_ephemeral))
