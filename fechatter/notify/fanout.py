"""The same bytes to many sockets: the innermost loop of the service.

Seats      connections that get the same bytes, and their sockets in a flat array
Crowd      connections of both kinds
Fanout     writes to sockets directly; what a socket does not take at once goes its stream's own way

Measured, one `send()` costs the kernel 4 to 7 µs. What the loop adds per connection decides how near to C it comes, so
it touches nothing of a connection but its descriptor: no object, no attribute, no method.
"""

import os
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator

from fechatter.notify.receiver import Receiver

Write = Callable[[int, bytes], int]


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
    """

    def __init__(self, write: Write = os.write) -> None:
        self.blocked: set[int] = set()
        self._receivers: dict[int, Receiver] = {}
        self._write = write

    def add(self, receiver: Receiver) -> None:
        self._receivers[receiver.fd] = receiver

    def remove(self, receiver: Receiver) -> None:
        """Before its socket is closed: the number may be another's at once."""
        if self._receivers.get(receiver.fd) is receiver:
            del self._receivers[receiver.fd]
            self.blocked.discard(receiver.fd)

    def write(self, fds: Collection[int], data: bytes) -> None:
        """Send `data` to all of them. Whoever cannot take it buffers it, and falls behind if that is too much."""
        if self.blocked and (waiting := self.blocked.intersection(fds)):
            self._write_all([fd for fd in fds if fd not in waiting], data)
            for fd in waiting:
                self._receivers[fd].send(data)
        else:
            self._write_all(fds, data)

    def offer(self, fds: Collection[int], data: bytes) -> None:
        """Send `data` to those that have little or nothing to send yet; it is not worth more."""
        if self.blocked and (waiting := self.blocked.intersection(fds)):
            self._write_all([fd for fd in fds if fd not in waiting], data)
            for fd in waiting:
                self._receivers[fd].offer(data)
        else:
            self._write_all(fds, data)

    def _write_all(self, fds: Iterable[int], data: bytes) -> None:
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
