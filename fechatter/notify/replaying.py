"""Sending returning clients what they missed: one query for all of them, each event encoded once.

Replay.measure   how much each connection missed
Replay.send      send it, at the pace of its readers
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from fechatter.domain.people import Caller
from fechatter.notify.cursor import Cursor
from fechatter.notify.frames import Frame
from fechatter.notify.ordering import Ordering, Placed
from fechatter.notify.packing import Greetings, Packing, greet
from fechatter.notify.receiver import Receiver
from fechatter.store.database import Connection
from fechatter.store.log import replay as store
from fechatter.store.log.replay import Admission, LoggedEvent, Span

CHUNK = 500
"""How many events are read from the database at a time."""
_GLANCE_S = 0.005
PATIENCE = 50
"""How many glances of 5 ms a group waits for one reader: after that, the slow one goes on alone."""


class Replay:
    """One replay to a group of connections, in the snapshot of the connection's transaction.

    Their sessions have been judged and say where to begin; `watermark` is where the snapshot ends.
    """

    def __init__(
        self, connection: Connection, epoch: str, watermark: int, patience: int, greetings: Greetings | None = None
    ) -> None:
        """`greetings`: what is to be sent first to some, of this replay or not; it is, with the first write."""
        self._connection = connection
        self._epoch = epoch
        self._watermark = watermark
        self._patience = patience
        self._greetings = {} if greetings is None else greetings
        self._spans: dict[str, Span] = {}
        self._sent: dict[str, int] = {}  # the last position of each stream
        self._listeners: dict[str, list[tuple[Receiver, int, int]]] = {}
        self._visits: dict[Receiver, int] = {}

    async def measure(
        self, group: Sequence[Receiver], admissions: Mapping[Caller, Admission], visits: Mapping[Receiver, int]
    ) -> dict[Receiver, int]:
        """Find out where each stream's replay begins; return how many events, at most, each connection missed.

        `visits`: which visit of each connection this replay is for. Whoever has asked to resume since is left out.
        """
        self._spans = await store.spans(self._connection, _earliest(group, admissions))
        self._visits = {each: visits[each] for each in group if each.session.visit == visits[each]}
        missed: dict[Receiver, int] = {}
        for receiver, visit in self._visits.items():
            streams = admissions[receiver.session.caller].streams
            mine = [stream for stream in streams if stream in self._spans]
            missed[receiver] = sum(_length(self._spans[stream]) for stream in mine)
            for stream in mine:
                self._listeners.setdefault(stream, []).append((receiver, streams[stream], visit))
        return missed

    async def send(self) -> None:
        """Send it all. Connections that fell behind, or whose session ended, get no more.

        If it breaks off, the sessions know what was sent: the next replay goes on there.
        """
        ordering = Ordering({stream: span.after + 1 for stream, span in self._spans.items()})
        try:
            async for events in store.stream_spans(self._connection, self._spans, CHUNK):
                await self._send(ordering.push(events))
            await self._send(ordering.finish())
        except BaseException:
            for each, visit in self._visits.items():
                if each.session.visit == visit:
                    each.session.broke_off(self._sent)
            raise

    async def _send(self, placed: Iterable[Placed]) -> None:
        packing = Packing()
        floor = 0
        for event, floor in placed:
            if event.payload is None:
                continue
            frame = Frame.of(event, str(Cursor(self._epoch, min(floor, self._watermark))))
            if not packing.has_room_for(frame):
                await self._flush(packing, floor)
            packing.add(frame, self._who_missed(event))
            self._sent[event.stream] = event.pos
        await self._flush(packing, floor)

    def _who_missed(self, event: LoggedEvent) -> list[Receiver]:
        return [
            receiver
            for receiver, joined_pos, visit in self._listeners.get(event.stream, ())
            if receiver.session.visit == visit and receiver.session.missed(event, joined_pos)
        ]

    async def _flush(self, packing: Packing, floor: int) -> None:
        written = packing.send(self._greetings)
        greet(self._greetings)
        for _ in range(self._patience):
            if not any(each.congested for each in written):
                return
            await asyncio.sleep(_GLANCE_S)
        for each in written:
            if each.congested and each.session.visit == self._visits[each]:
                each.fall_behind(min(floor, self._watermark), each.session.had.and_(self._sent))


def _earliest(group: Sequence[Receiver], admissions: Mapping[Caller, Admission]) -> dict[str, int]:
    """For each stream that one of the group may see, the lowest xid that one of them needs."""
    since: dict[str, int] = {}
    for receiver in group:
        begin = receiver.session.since
        if begin is not None:
            for stream in admissions[receiver.session.caller].streams:
                if begin < since.get(stream, begin + 1):
                    since[stream] = begin
    return since


def _length(span: Span) -> int:
    return span.last - span.after
