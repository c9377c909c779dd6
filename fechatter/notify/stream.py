"""What the SSE and the WebSocket edge share: writing to one socket in bounded memory, and ending well.

Stream    one open connection: an asyncio protocol, and the hub's Receiver
House     what a stream tells the service about itself
"""

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, cast

from fechatter.domain.errors import DomainError
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.fanout import Fanout
from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.session import Had, Phase, Session

HIGH_WATER = 64 * 1024
LOW_WATER = 8 * 1024
"""With one write of up to 64 KiB on top, a connection holds at most 256 KiB in all, or one event more."""


_write = os.write


class House(Protocol):
    """The service, as a stream sees it.

    fanout   what writes to its socket beside itself
    """

    fanout: Fanout

    def entered(self, stream: "Stream") -> None:
        """It wants to become live."""
        ...

    def paused(self, stream: "Stream") -> None:
        """It gets nothing until it enters again."""
        ...

    def fell_behind(self, stream: "Stream") -> None:
        """Its buffer is full; it is in Phase.LAGGING from now on."""
        ...

    def ended(self, stream: "Stream", code: CloseCode) -> None:
        """It was told goodbye, or answered otherwise, and gets nothing more; it closes when it is flushed."""
        ...

    def left(self, stream: "Stream") -> None:
        """Its connection is closed."""
        ...

    def place(self) -> tuple[int, Had]:
        """What live connections have been sent: all events below an xid, and some more."""
        ...


class Stream(asyncio.Protocol, ABC):
    """One connection that events are pushed to.

    fd        of its socket
    address   the client's, for the limits
    bucket    which heartbeat it belongs to; the service's business
    """

    __slots__ = ("_clear", "_closing", "_house", "_transport", "address", "bucket", "fd", "parcel", "session")
    speaks_ws = False

    def __init__(self, transport: asyncio.Transport, house: House, session: Session, address: str) -> None:
        self.session = session
        self.parcel: Parcel | None = None
        self.address = address
        self.bucket = 0
        self._house = house
        self._transport = transport
        self._clear = (
            transport.get_write_buffer_size() == 0
        )  # nothing is buffered and it is not closing: bytes can go to the socket at once
        self._closing = False
        self.fd = cast("socket.socket", transport.get_extra_info("socket")).fileno()
        transport.set_write_buffer_limits(
            high=0
        )  # pause_writing once anything is buffered, resume_writing once all is sent
        house.fanout.add(self)

    def send(self, data: bytes) -> None:
        """Write to the socket at once; what the kernel does not take is buffered, up to the limit."""
        if self._clear:
            try:
                sent = _write(self.fd, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # the transport notices by itself and says connection_lost
            if sent == len(data):
                return
            data = data[sent:]
        self.spill(data)

    def spill(self, data: bytes) -> None:
        """Buffer what the kernel did not take; fall behind if that is too much."""
        if not (self._closing or self._transport.is_closing()):
            self._transport.write(data)
            if self.session.phase is Phase.LIVE and self._transport.get_write_buffer_size() > HIGH_WATER:
                self.fall_behind(*self._house.place())

    def offer(self, data: bytes) -> None:
        """Send what is only worth it while little is buffered: heartbeats, typing, presence."""
        if self.opened and not self.congested:
            self.send(data)

    @property
    def congested(self) -> bool:
        """Whether more is buffered than one write should leave there."""
        return not self._clear and self._transport.get_write_buffer_size() > LOW_WATER

    @abstractmethod
    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None:
        """Send frames of this connection's own, and `then`, in one write."""

    def refuse(self) -> None:
        """Its credentials are not, or no longer, good."""
        self.end(CloseCode.ACCESS_ENDED)

    def end(self, code: CloseCode, retry_ms: int = 0, reason: str | None = None) -> None:
        """Say goodbye, send what is buffered, and close. `reason`: what the code's own words leave open."""
        if self._closing:
            return
        self.greet(self.session.end(code, retry_ms, reason))
        self._close(code, reason)

    @property
    @abstractmethod
    def opened(self) -> bool:
        """Whether anything has been sent; before that, the request can still be answered otherwise."""

    @abstractmethod
    def answer(self, error: DomainError) -> None:
        """Refuse to open the stream, with the reason."""

    def abort(self) -> None:
        """Close now, whatever is still buffered."""
        self._transport.abort()

    def fall_behind(self, since: int, had: Had) -> None:
        if self.session.phase in (Phase.LIVE, Phase.REPLAYING):
            self.session.lag(since, had)
            self._house.fell_behind(self)

    def pause_writing(self) -> None:
        self._mark(clear=False)

    def resume_writing(self) -> None:
        self._mark(clear=not self._closing)
        if self.session.phase is Phase.LAGGING:
            self.session.drained()
            self._house.entered(self)

    def eof_received(self) -> bool:
        """A client that has closed its half gets nothing more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.session.end(CloseCode.GOING_AWAY)
        self._closing = True
        self._mark(clear=False)
        self._house.fanout.remove(self)
        self._house.left(self)

    def _mark(self, *, clear: bool) -> None:
        """Whether bytes may go to the socket at once: from here, and from the fan-out once the stream is open."""
        self._clear = clear
        if clear and self.opened:
            self._house.fanout.blocked.discard(self.fd)
        else:
            self._house.fanout.blocked.add(self.fd)

    def _close(self, code: CloseCode, reason: str | None = None) -> None:
        self._closing = True
        self._mark(clear=False)
        self._house.ended(self, code)
        self._transport.close()
