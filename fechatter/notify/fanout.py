"""The same bytes to many sockets: the innermost loop of the service.

Seats      connections that get the same bytes, and their sockets in a flat array
Crowd      connections of both kinds
Fanout     writes to sockets directly; what a socket does not take at once goes its stream's own way

Measured, one `send()` costs the kernel 4 to 7 µs. What the loop adds per connection decides how near to C it comes, so
it touches nothing of a connection but its descriptor: no object, no attribute, no method.
"""

import asyncio
import os
from array import array
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

from fechatter.notify.receiver import Receiver

Write = Callable[[int, bytes], int]
Pause = Callable[[], Awaitable[None]]
SLICE = 2_000
"""So many sockets take 12 to 22 ms; nothing else happens meanwhile."""


def _others_turn() -> Awaitable[None]:
    return asyncio.sleep(0)


class Seats(dict[Receiver, None]):
    """Connections in the order in which they came.

    _fds   their sockets; None after a change, until somebody asks
    """

    __slots__ = ("_fds",)

    def __init__(self) -> None:
        super().__init__()
        self._fds: array[int] | None = None

    @property
    def fds(self) -> "array[int]":
        """Their sockets. Never changes: after a change there is another array."""
        if self._fds is None:
            self._fds = array("i", [receiver.fd for receiver in self])
        return self._fds

    def seat(self, receiver: Receiver) -> None:
        self[receiver] = None
        self._fds = None

    def leave(self, receiver: Receiver) -> None:
        """Does nothing for one that has no seat."""
        if self.pop(receiver, self) is None:
            self._fds = None


class Crowd:
    """Connections by the kind of frame they get."""

    __slots__ = ("sse", "ws")

    def __init__(self) -> None:
        self.sse = Seats()
        self.ws = Seats()

    def __len__(self) -> int:
        return len(self.sse) + len(self.ws)

    def __iter__(self) -> Iterator[Receiver]:
        yield from self.sse
        yield from self.ws

    def seats_of(self, receiver: Receiver) -> Seats:
        """Where `receiver` sits, or would."""
        return self.ws if receiver.speaks_ws else self.sse


class Fanout:
    """The sockets of this process that have a stream on them.

    blocked     sockets that bytes may not go to directly: their streams still buffer, or have not been opened
    _receivers  whose socket each is
    _rest       what a write under way has not written yet, and to which sockets
    _left_out   sockets that get nothing of it any more
    _writing    whether some of it is being written at this moment
    """

    def __init__(self, write: Write = os.write, pause: Pause = _others_turn) -> None:
        self.blocked: set[int] = set()
        self._receivers: dict[int, Receiver] = {}
        self._rest: list[tuple[Sequence[int], bytes]] = []
        self._left_out: set[int] = set()
        self._writing = False
        self._write = write
        self._pause = pause

    def __contains__(self, receiver: Receiver) -> bool:
        """Whether it has a socket that may be written to."""
        return self._receivers.get(receiver.fd) is receiver

    def add(self, receiver: Receiver) -> None:
        self._receivers[receiver.fd] = receiver

    def remove(self, receiver: Receiver) -> None:
        """Before its socket is closed: the number may be another's at once."""
        self.leave_out(receiver)
        if receiver in self:
            del self._receivers[receiver.fd]
            self.blocked.discard(receiver.fd)

    def leave_out(self, receiver: Receiver) -> None:
        """It gets nothing more of a write that is under way."""
        if self._rest:
            self._left_out.add(receiver.fd)

    async def write(self, writes: Iterable[tuple[Sequence[int], bytes]]) -> None:
        """Send bytes to sockets, no socket twice. Whoever cannot take them buffers them, or falls behind.

        Many sockets take their time: between slices of them the event loop does what else is due. If that is cancelled,
        the rest is sent at once.
        """
        self._rest = [(fds, data) for fds, data in writes if fds]
        try:
            self._go_on(SLICE)
            while self._rest:
                await self._pause()
                self._go_on(SLICE)
        finally:
            self.finish()
            self._left_out.clear()

    def finish(self) -> None:
        """Send the rest of a write under way now. Whoever is being written to at this moment has got its part."""
        while self._rest and not self._writing:
            self._go_on(SLICE)

    def offer(self, fds: Collection[int], data: bytes) -> None:
        """Send `data` to those that have little or nothing to send yet; it is not worth more."""
        waiting = self._write_directly(fds, data)
        for fd in waiting:
            self._receivers[fd].offer(data)

    def _go_on(self, most: int) -> None:
        """Write to so many of the sockets that are left."""
        self._writing = True
        try:
            while self._rest and most > 0:
                fds, data = self._rest.pop()
                if len(fds) > most:
                    self._rest.append((fds[most:], data))
                    fds = fds[:most]
                most -= len(fds)
                if self._left_out:
                    fds = [fd for fd in fds if fd not in self._left_out]
                for fd in self._write_directly(fds, data):
                    self._receivers[fd].send(data)
        finally:
            self._writing = False

    def _write_directly(self, fds: Collection[int], data: bytes) -> Collection[int]:
        """Send `data` to those of the sockets that are not blocked; return those that are."""
        waiting = self.blocked.intersection(fds) if self.blocked else ()
        self._write_each([fd for fd in fds if fd not in waiting] if waiting else fds, data)
        return waiting

    def _write_each(self, fds: Iterable[int], data: bytes) -> None:
        write, size = self._write, len(data)
        short: list[tuple[int, int]] = []
        for fd in fds:
            try:
                sent = write(fd, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # its transport notices by itself and says connection_lost
            if sent != size:
                short.append((fd, sent))
        for fd, sent in short:  # only now: it may end in a stream's leaving `fds`
            self._receivers[fd].spill(data[sent:])
