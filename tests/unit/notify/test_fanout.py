"""An event to a crowd goes out in slices, and whatever happens between two of them comes out right."""

import asyncio
from collections.abc import Awaitable, Callable
from unittest.mock import patch

import pytest

from fechatter.domain.people import Caller
from fechatter.notify import fanout
from fechatter.notify.fanout import Fanout
from fechatter.notify.session import Had, Session
from tests.unit.notify.world import Wire, Wires


async def nothing() -> None:
    pass


class Crowd:
    """Five live connections, and two of them a slice. `between`: what happens after a slice."""

    def __init__(self) -> None:
        self.between: Callable[[], Awaitable[None]] = nothing
        self.pauses = 0
        sockets = Wires()
        self.fanout = Fanout(sockets.write, self._pause)
        self.wires = [Wire(Session(Caller(1, 1), None, 15), _ignore, _ignore, self._place) for _ in range(5)]
        for wire in self.wires:
            wire.session.go_live("epoch", 1)
            sockets.add(wire)
            self.fanout.add(wire)

    async def write(self, data: bytes) -> None:
        with patch.object(fanout, "SLICE", 2):
            await self.fanout.write([([wire.fd for wire in self.wires], data)])

    def got(self) -> list[bytes]:
        return [wire.data for wire in self.wires]

    async def _pause(self) -> None:
        self.pauses += 1
        await self.between()

    def _place(self) -> tuple[int, Had]:
        self.fanout.finish()
        return 1, Had()


def _ignore(_wire: Wire) -> None:
    pass


async def test_others_have_their_turn_after_each_slice() -> None:
    crowd = Crowd()
    seen: list[int] = []

    async def look() -> None:
        seen.append(sum(1 for data in crowd.got() if data))

    crowd.between = look
    await crowd.write(b"event")
    assert seen == [2, 4]
    assert crowd.got() == [b"event"] * 5


async def test_who_leaves_meanwhile_gets_nothing_and_its_socket_may_be_anothers() -> None:
    crowd = Crowd()

    async def leave() -> None:
        crowd.fanout.remove(crowd.wires[4])

    crowd.between = leave
    await crowd.write(b"one ")
    crowd.between = nothing
    crowd.fanout.add(crowd.wires[4])
    await crowd.write(b"two ")
    assert crowd.got() == [b"one two "] * 4 + [b"two "]


async def test_the_rest_is_sent_at_once_when_somebody_asks_what_has_been_sent() -> None:
    crowd = Crowd()

    async def finish() -> None:
        crowd.fanout.finish()

    crowd.between = finish
    await crowd.write(b"event")
    assert crowd.pauses == 1
    assert crowd.got() == [b"event"] * 5


async def test_the_rest_is_sent_when_the_write_is_cancelled() -> None:
    crowd = Crowd()

    async def cancelled() -> None:
        raise asyncio.CancelledError

    crowd.between = cancelled
    with pytest.raises(asyncio.CancelledError):
        await crowd.write(b"event")
    assert crowd.got() == [b"event"] * 5


async def test_one_that_falls_behind_does_not_hurry_the_others() -> None:
    crowd = Crowd()
    crowd.wires[0].room = 3
    await crowd.write(b"event")
    assert crowd.pauses == 2
    assert crowd.got() == [b"event"] * 5
