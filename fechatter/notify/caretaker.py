"""What happens to streams by the clock: heartbeats, slow readers, and those that do not get in.

Caretaker.adopt, Caretaker.forget   a stream opens, closes
Caretaker.lags, Caretaker.leaves    a reader fell behind; a stream was ended and may still flush
Caretaker.run                       one tick a second, until cancelled
"""

import asyncio
import itertools

from fechatter.domain.errors import Unavailable
from fechatter.notify import frames
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.fanout import Crowd, Fanout
from fechatter.notify.http import HttpConnection
from fechatter.notify.metrics import Metrics
from fechatter.notify.session import Phase
from fechatter.notify.stream import Stream

STALL_S = 1.0
"""A reader whose buffer was full has so long to read it; after that it is told goodbye."""
GRACE_S = 5.0
"""So long after a stream was ended, or fell behind, it is cut, read or not."""
OPEN_TIMEOUT_S = 10.0
"""A request for a stream is answered 503 after this, while the database is away."""
TICK_S = 1.0


class Caretaker:
    """Looks after the streams and connections of one process.

    streams    how many are open, or on their way in
    idle       connections that are no streams
    _buckets   streams by the tick in which their heartbeat is due; each tick serves one bucket
    _opening   requests for streams that were not answered yet, and when they came
    _lagging   readers with a full buffer, and since when
    _leaving   ended streams that still flush, and when they are cut
    """

    def __init__(self, heartbeat_s: float, metrics: Metrics, fanout: Fanout) -> None:
        self.streams = 0
        self.idle: set[HttpConnection] = set()
        self._metrics = metrics
        self._fanout = fanout
        count = max(1, round(heartbeat_s / TICK_S))
        self._tick_s = heartbeat_s / count
        self._buckets = [Crowd() for _ in range(count)]
        self._next_bucket = itertools.cycle(range(count))
        self._next_part = itertools.cycle(range(count))
        self._opening: dict[Stream, float] = {}
        self._lagging: dict[Stream, float] = {}
        self._leaving: dict[Stream, float] = {}
        self._somebody_left = asyncio.Event()

    def all(self) -> list[Stream]:
        """Every stream that was not ended."""
        return [stream for bucket in self._buckets for stream in _streams_of(bucket)]

    def some(self) -> list[Stream]:
        """Another part of them at each call; all within one time of heartbeats."""
        return _streams_of(self._buckets[next(self._next_part)])

    async def all_gone(self) -> None:
        """Wait until every stream is closed."""
        while self.streams or self._leaving:
            self._somebody_left.clear()
            await self._somebody_left.wait()

    def adopt(self, stream: Stream) -> None:
        """A stream asks to be opened."""
        stream.bucket = next(self._next_bucket)
        self._buckets[stream.bucket].seats_of(stream).seat(stream)
        self._opening[stream] = _now()
        self.streams += 1

    def forget(self, stream: Stream) -> None:
        """The stream was ended or is gone. Does nothing the second time."""
        seats = self._buckets[stream.bucket].seats_of(stream)
        if stream in seats:
            seats.leave(stream)
            self.streams -= 1
        self._opening.pop(stream, None)
        self._lagging.pop(stream, None)

    def lags(self, stream: Stream) -> None:
        self._lagging[stream] = _now()
        self._metrics.fell_behind.inc()

    def leaves(self, stream: Stream) -> None:
        """The stream was ended; it is cut if it does not close in time."""
        self._leaving[stream] = self._lagging.get(stream, _now()) + GRACE_S

    def left(self, stream: Stream) -> None:
        """The connection is closed."""
        self._leaving.pop(stream, None)
        self._somebody_left.set()

    def cut_all(self) -> None:
        """Close everything now."""
        for stream in [*self._leaving, *self.all()]:
            stream.abort()
        for connection in list(self.idle):
            connection.transport.abort()

    async def run(self) -> None:
        due = _now()
        for tick in itertools.count():
            due += self._tick_s
            await asyncio.sleep(due - _now())
            self._metrics.loop_stall.observe(max(0.0, _now() - due))
            self._beat(self._buckets[tick % len(self._buckets)])
            self._tend(_now())
            due = max(due, _now() - self._tick_s)

    def _beat(self, bucket: Crowd) -> None:
        if bucket.sse:
            self._fanout.offer(bucket.sse.fds, frames.SSE_HEARTBEAT)
        if bucket.ws:
            self._fanout.offer(bucket.ws.fds, frames.heartbeat())

    def _tend(self, now: float) -> None:
        for connection in [each for each in self.idle if each.deadline < now]:
            connection.expire()
        for stream, since in list(self._lagging.items()):
            if stream.session.phase is not Phase.LAGGING:
                del self._lagging[stream]
            elif now - since >= STALL_S:
                stream.end(CloseCode.SLOW_READER)
        for stream, since in list(self._opening.items()):
            if stream.opened:
                del self._opening[stream]
            elif now - since >= OPEN_TIMEOUT_S:
                stream.answer(Unavailable("The database is away: try again in a moment."))
        for stream, deadline in list(self._leaving.items()):
            if now >= deadline:
                stream.abort()


def _streams_of(bucket: Crowd) -> list[Stream]:
    return [receiver for receiver in bucket if isinstance(receiver, Stream)]


def _now() -> float:
    return asyncio.get_running_loop().time()
