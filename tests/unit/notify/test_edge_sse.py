"""What becomes of an SSE request whose client has gone before it was answered."""

import socket
from typing import Any, cast

from fechatter.domain.people import Caller
from fechatter.notify.edge_sse import SseStream
from fechatter.notify.fanout import Fanout
from fechatter.notify.request import Request
from fechatter.notify.session import Phase, Session


class Transport:
    """Of a client that is there, and takes everything."""

    def __init__(self, taken: socket.socket) -> None:
        self._socket = taken

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _name: str) -> socket.socket:
        return self._socket

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        pass


class House:
    """Remembers what streams tell."""

    def __init__(self) -> None:
        self.fanout = Fanout()
        self.told: list[str] = []

    def left(self, _stream: object) -> None:
        self.told.append("left")

    def ended(self, _stream: object, _code: object) -> None:
        self.told.append("ended")


def test_a_refusal_that_comes_after_the_client_has_gone_leaves_nothing_behind() -> None:
    """Who opened streams with a spent token and went at once would have left each of them with the service for ever."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        house = House()
        request = Request("GET", "/events", {}, {}, False, "", "id")
        session = Session(Caller(1, 1), None, 15.0)
        stream = SseStream(cast("Any", Transport(ours)), cast("Any", house), session, request)
        stream.connection_lost(None)
        stream.refuse()
        assert house.told == ["left"]
        assert not house.fanout.blocked
        assert session.phase is Phase.ENDED
