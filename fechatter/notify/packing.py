"""Several events to one connection leave in one write, joined once for all connections that get the same ones.

Pack      of live events: by who hears their streams
Packing   of replayed ones: by which receivers missed each
greet     what visits begin with, to those who missed nothing
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from fechatter.notify.fanout import Crowd, Fanout, Seats
from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.receiver import Receiver
from fechatter.notify.session import Phase

PACK_BYTES = 64 * 1024
"""The most that one write carries to one receiver, unless a single event is larger."""


class _Size:
    """How much is packed."""

    def __init__(self) -> None:
        self._size = 0

    def has_room_for(self, frame: Frame) -> bool:
        """Whether a receiver of everything packed so far may get `frame` in the same write."""
        return self._size == 0 or self._size + frame.size <= PACK_BYTES


class Pack(_Size):
    """Live events on their way. Nobody may come or go in a crowd between `add` and `send`.

    _places   by crowd: its frames, each with its place in the pack
    """

    def __init__(self, fanout: Fanout) -> None:
        super().__init__()
        self._fanout = fanout
        self._count = 0
        self._places: dict[Crowd, list[tuple[int, Frame]]] = {}

    def add(self, frame: Frame, crowd: Crowd) -> None:
        self._size += frame.size
        self._places.setdefault(crowd, []).append((self._count, frame))
        self._count += 1

    async def send(self) -> None:
        """Write what is packed, to each connection once."""
        places, self._places, self._count, self._size = self._places, {}, 0, 0
        sse = _groups([(crowd.sse, its) for crowd, its in places.items()])
        ws = _groups([(crowd.ws, its) for crowd, its in places.items()])
        await self._fanout.write(
            [
                *[(fds, _joined([frame.sse for frame in frames])) for fds, frames in sse],
                *[(fds, _joined([frame.ws for frame in frames])) for fds, frames in ws],
            ]
        )


_Places = list[tuple[int, Frame]]


def _groups(heard: list[tuple[Seats, _Places]]) -> Iterable[tuple[Sequence[int], list[Frame]]]:
    """Sockets that get the same frames, with these in their order."""
    heard = [(seats, places) for seats, places in heard if seats]
    if len(heard) == 1:
        seats, places = heard[0]
        return [(seats.fds, [frame for _, frame in places])]
    marks: dict[int, tuple[int, ...]] = {}
    for number, (seats, _) in enumerate(heard):
        for fd in seats.fds:
            marks[fd] = (*marks.get(fd, ()), number)
    groups: dict[tuple[int, ...], list[int]] = {}
    for fd, mark in marks.items():
        groups.setdefault(mark, []).append(fd)
    return [(fds, _in_order([heard[number][1] for number in mark])) for mark, fds in groups.items()]


def _in_order(places: list[_Places]) -> list[Frame]:
    if len(places) == 1:
        return [frame for _, frame in places[0]]
    return [frame for _, frame in sorted(chain(*places), key=_place)]


def _place(placed: tuple[int, Frame]) -> int:
    return placed[0]


def _joined(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Greeting(NamedTuple):
    """What one visit of a connection begins with."""

    visit: int
    frames: list[Frame]


Greetings = dict[Receiver, Greeting]
"""Those that have not been sent yet."""


def greet(greetings: Greetings) -> None:
    """Send what is not void by now, and nothing behind it."""
    while greetings:
        receiver, (visit, frames) = greetings.popitem()
        if receiver.session.visit == visit and receiver.session.phase is Phase.REPLAYING:
            receiver.greet(frames)


class Packing(_Size):
    """Frames on their way to receivers, so that each receiver gets all of its own in one write."""

    def __init__(self) -> None:
        super().__init__()
        self._root = Parcel()
        self._touched: list[Receiver] = []

    def add(self, frame: Frame, receivers: Iterable[Receiver]) -> None:
        self._size += frame.size
        for receiver in receivers:
            if receiver.parcel is None:
                receiver.parcel = self._root
                self._touched.append(receiver)
            receiver.parcel = receiver.parcel.with_(frame)

    def send(self, greetings: Greetings) -> list[Receiver]:
        """Write what is packed, to those who are to be greeted with their greeting; return whom it went to."""
        touched, self._touched, self._root, self._size = self._touched, [], Parcel(), 0
        for receiver in touched:
            parcel, receiver.parcel = receiver.parcel, None
            if parcel is not None:
                data = parcel.ws if receiver.speaks_ws else parcel.sse
                if (greeting := greetings.pop(receiver, None)) is None:
                    receiver.send(data)
                else:
                    receiver.greet(greeting.frames, data)
        return touched
