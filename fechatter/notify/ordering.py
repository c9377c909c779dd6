"""The order in which events are sent: within a stream by position, across streams as things happened.

Transactions come sorted by xid, which is the order they began to write in. Where one waited for another's row lock
they ended in the other order, and the positions of the stream they met in tell so. Transactions are therefore taken by
xid, except that one whose positions are not due yet waits for those before it; a transaction's events stay together.
That is an order the commits can have had: no event precedes what it followed from.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fechatter.store.log.replay import LoggedEvent


class Placed(NamedTuple):
    """An event in its place. Every event of an xid below `floor` has had its place before it."""

    event: LoggedEvent
    floor: int


class Ordering:
    """Takes events sorted by xid, gives them in order. Holds back only what waits for another transaction."""

    def __init__(self, first: dict[str, int]) -> None:
        """`first`: the lowest position of each stream that will come."""
        self._due = first
        self._open: list[LoggedEvent] = []  # of the transaction that more events may still belong to
        self._waiting: dict[tuple[str, int], list[LoggedEvent]] = {}  # by the position that must come before
        self._held: set[int] = set()  # xids in _waiting

    def push(self, events: Iterable[LoggedEvent]) -> Iterator[Placed]:
        """Take the next events by xid; give what is due."""
        for event in events:
            if self._open and self._open[0].xid != event.xid:
                yield from self._settle()
            self._open.append(event)

    def finish(self) -> Iterator[Placed]:
        """Give the rest: there are no more events."""
        if self._open:
            yield from self._settle()
        while self._waiting:
            self._open = self._over_a_hole()
            yield from self._settle()

    def _over_a_hole(self) -> list[LoggedEvent]:
        """The next events although a position before them will not come.

        Pruning goes by xid: it may take a position and leave a lower one, of a transaction that began later.
        """
        lowest = first_positions(event for events in self._waiting.values() for event in events)
        fit = [place for place in self._waiting if lowest[place[0]] == place[1]]
        stream, pos = min(fit or self._waiting, key=lambda place: self._waiting[place][0].xid)
        self._due[stream] = pos
        return self._waiting.pop((stream, pos))

    def _settle(self) -> Iterator[Placed]:
        ready, self._open = [self._open], []
        while ready:
            events = ready.pop()
            missing = self._missing(events)
            if missing is not None:
                self._waiting[missing] = events
                self._held.add(events[0].xid)
                continue
            self._held.discard(events[0].xid)
            floor = min(self._held, default=events[0].xid)
            for event in events:
                self._due[event.stream] = event.pos + 1
                yield Placed(event, min(floor, event.xid))
            for stream in {event.stream for event in events}:
                if (waiting := self._waiting.pop((stream, self._due[stream]), None)) is not None:
                    ready.append(waiting)

    def _missing(self, events: list[LoggedEvent]) -> tuple[str, int] | None:
        """A stream and position of these events that is not due yet."""
        met: set[str] = set()
        for event in events:
            if event.stream not in met:
                met.add(event.stream)
                if self._due.get(event.stream, event.pos) != event.pos:
                    return event.stream, event.pos
        return None


def first_positions(events: Iterable[LoggedEvent]) -> dict[str, int]:
    """The lowest position of each stream among `events`."""
    first: dict[str, int] = {}
    for event in events:
        if event.pos < first.get(event.stream, event.pos + 1):
            first[event.stream] = event.pos
    return first


def in_order(events: list[LoggedEvent]) -> list[Placed]:
    """All of `events`, sorted by xid, in the order in which they are sent."""
    if len(events) == 1:
        return [Placed(events[0], events[0].xid)]
    ordering = Ordering(first_positions(events))
    return [*ordering.push(events), *ordering.finish()]
