"""A connection, as those who decide what is sent to it see it. The edges implement it; so do tests, without sockets."""

from collections.abc import Sequence
from typing import Protocol

from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.session import Had, Session


class Receiver(Protocol):
    """One connection.

    fd          its socket's descriptor, no other connection's until it is closed
    session     what it may get next
    parcel      what it gets in the write under way
    speaks_ws   which of a frame's two forms it takes
    congested   whether so much is buffered that nothing should be added until the client has read it
    """

    fd: int
    session: Session
    parcel: Parcel | None
    speaks_ws: bool

    @property
    def congested(self) -> bool: ...

    def send(self, data: bytes) -> None:
        """Hand over bytes at once; never waits, never raises."""
        ...

    def spill(self, data: bytes) -> None:
        """Buffer what its socket did not take; fall behind if that is too much."""
        ...

    def offer(self, data: bytes) -> None:
        """Hand over bytes that are worth sending only if little is buffered and the stream is open."""
        ...

    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None:
        """Open the stream if that has not been done, and send frames of its own, with `then` behind them."""
        ...

    def refuse(self) -> None:
        """Its credentials are not, or no longer, good: say so and close."""
        ...

    def fall_behind(self, since: int, had: Had) -> None:
        """It reads too slowly: all below `since` was sent, and what it `had`.

        It gets the rest once it has read that, or is closed.
        """
        ...
