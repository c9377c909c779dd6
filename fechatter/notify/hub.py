"""Who hears which stream, in memory, and the sending of events to them. No I/O; the sequencer alone calls it.

Hub.attach   a user's connection hears the user's streams from now on
Hub.deliver  send events in order; membership changes among them take effect where they stand
Hub.detach   it hears nothing more
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fechatter.domain.events import EventType, stream_of_chat, stream_of_workspace
from fechatter.notify.frames import Frame, Parcel
from fechatter.notify.receiver import Receiver
from fechatter.store.log.replay import LoggedEvent

PACK_BYTES = 64 * 1024
"""The most that one write carries to one receiver, unless a single event is larger."""


class Audience:
    """Who hears a stream, by the kind of frame they get."""

    __slots__ = ("sse", "stream", "ws")

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.sse: dict[Receiver, None] = {}
        self.ws: dict[Receiver, None] = {}


class Person:
    """A user with at least one connection attached.

    audiences   the streams the user hears: from the database at attach, then kept right by the events
    receivers   the user's attached connections
    """

    __slots__ = ("audiences", "receivers")

    def __init__(self) -> None:
        self.audiences: set[Audience] = set()
        self.receivers: set[Receiver] = set()


class Hub:
    """All attached connections of this process.

    stale   users whose streams must be read from the database again, since an event said that they changed
    sent         the last position of each stream that was sent since the sequencer's last complete look
    deliveries   how many events have been handed to connections
    """

    def __init__(self) -> None:
        self.stale: set[int] = set()
        self.sent: dict[str, int] = {}
        self.deliveries = 0
        self._audiences: dict[str, Audience] = {}
        self._people: dict[int, Person] = {}
        self._xid = 0  # of the transaction whose events are being sent
        self._joining: list[tuple[int, str]] = []  # subscriptions that begin where this transaction ends

    def users(self) -> set[int]:
        """Who has a connection attached here."""
        return set(self._people)

    def hears(self, stream: str) -> bool:
        """Whether anyone here listens to `stream`."""
        return stream in self._audiences

    def receivers(self) -> Iterator[Receiver]:
        for person in self._people.values():
            yield from person.receivers

    def receivers_of(self, user_id: int) -> list[Receiver]:
        person = self._people.get(user_id)
        return [] if person is None else list(person.receivers)

    def audience(self, streams: Iterable[str], *, without: int | None = None) -> list[Receiver]:
        """The connections that hear any of `streams`, each once, but for those of one user."""
        found: dict[Receiver, None] = {}
        for stream in streams:
            if (audience := self._audiences.get(stream)) is not None:
                found |= audience.sse
                found |= audience.ws
        return [receiver for receiver in found if receiver.session.caller.user_id != without]

    def is_crowded(self, stream: str, most: int) -> bool:
        """Whether more than `most` connections hear `stream` here."""
        audience = self._audiences.get(stream)
        return audience is not None and len(audience.sse) + len(audience.ws) > most

    def streams_of(self, user_id: int) -> list[str] | None:
        """What the user hears; None if none of their connections is attached here."""
        person = self._people.get(user_id)
        return None if person is None else [audience.stream for audience in person.audiences]

    def attach(self, receiver: Receiver, streams: Iterable[str]) -> None:
        """From the next event on, `receiver` hears `streams`, which are what its user may see at this moment."""
        user_id = receiver.session.caller.user_id
        person = self._people.get(user_id)
        if person is None:
            person = self._people[user_id] = Person()
        person.receivers.add(receiver)
        self.set_streams(user_id, streams)
        for audience in person.audiences:
            _seats(audience, receiver)[receiver] = None

    def detach(self, receiver: Receiver) -> None:
        """`receiver` hears nothing more. Does nothing if it is not attached."""
        user_id = receiver.session.caller.user_id
        person = self._people.get(user_id)
        if person is None or receiver not in person.receivers:
            return
        person.receivers.discard(receiver)
        for audience in person.audiences:
            self._leave(audience, receiver)
        if not person.receivers:
            del self._people[user_id]
            self.stale.discard(user_id)

    def set_streams(self, user_id: int, streams: Iterable[str]) -> bool:
        """The user's connections hear `streams` and no others. Returns whether any stream was new to them."""
        person = self._people.get(user_id)
        if person is None:
            return False
        wanted = set(streams)
        now = {audience.stream for audience in person.audiences}
        for stream in now - wanted:
            self.unsubscribe(user_id, stream)
        for stream in wanted - now:
            self.subscribe(user_id, stream)
        return not wanted <= now

    def subscribe(self, user_id: int, stream: str) -> None:
        """The user's connections hear `stream` from the next event on."""
        person = self._people.get(user_id)
        if person is None:
            return
        audience = self._audiences.get(stream)
        if audience is None:
            audience = self._audiences[stream] = Audience(stream)
        person.audiences.add(audience)
        for receiver in person.receivers:
            _seats(audience, receiver)[receiver] = None

    def unsubscribe(self, user_id: int, stream: str) -> None:
        """The user's connections hear `stream` no more, beginning with the next event."""
        person, audience = self._people.get(user_id), self._audiences.get(stream)
        if person is None or audience is None:
            return
        person.audiences.discard(audience)
        for receiver in person.receivers:
            self._leave(audience, receiver)

    def deliver(self, batch: Sequence[tuple[LoggedEvent, str]]) -> None:
        """Send events, each with its cursor, to whoever hears their streams. One write a connection, if small."""
        if len(batch) == 1:
            self._deliver_one(*batch[0])
        else:
            self._deliver_together(batch)

    def settle(self) -> None:
        """The transaction whose events were sent last has no more of them."""
        joining, self._joining = self._joining, []
        for user_id, stream in joining:
            self.subscribe(user_id, stream)

    def _deliver_one(self, event: LoggedEvent, cursor: str) -> None:
        audience = self._audience_for(event)
        self.sent[event.stream] = event.pos
        if audience is None or event.payload is None:
            return
        frame = Frame.of(event, cursor)
        if audience.sse:
            data = frame.sse
            for receiver in list(audience.sse):
                receiver.send(data)
        if audience.ws:
            data = frame.ws
            for receiver in list(audience.ws):
                receiver.send(data)
        self.deliveries += len(audience.sse) + len(audience.ws)

    def _deliver_together(self, batch: Sequence[tuple[LoggedEvent, str]]) -> None:
        packing = Packing()
        for event, cursor in batch:
            audience = self._audience_for(event)
            if audience is not None and event.payload is not None:
                frame = Frame.of(event, cursor)
                if not packing.has_room_for(frame):
                    packing.send()
                packing.add(frame, audience.sse)
                packing.add(frame, audience.ws)
                self.deliveries += len(audience.sse) + len(audience.ws)
            self.sent[event.stream] = event.pos
        packing.send()

    def _audience_for(self, event: LoggedEvent) -> Audience | None:
        """Let the event change who hears what; return who hears it."""
        if event.xid != self._xid:
            self._xid = event.xid
            self.settle()
        if event.type in _CHANGES and isinstance(event.payload, bytes):
            self._apply(event, event.payload)
        return self._audiences.get(event.stream)

    def _apply(self, event: LoggedEvent, payload: bytes) -> None:
        if event.type == EventType.CHAT_CREATED:
            kind, _, owner = event.stream.partition(":")
            if kind == "user" and event.chat_id is not None:
                # A newcomer hears the chat from its own member.added on, which is in the same transaction; the first
                # members of a new chat have none, so for them it begins here.
                self._joining.append((int(owner), stream_of_chat(event.chat_id)))
            return
        member = msgspec.json.decode(payload, type=_Member)
        kind = event.stream.partition(":")[0]
        match event.type:
            case EventType.MEMBER_ADDED if kind == "chat":
                self.subscribe(member.user_id, event.stream)
            case EventType.MEMBER_REMOVED if member.chat_id is not None:
                self.unsubscribe(member.user_id, stream_of_chat(member.chat_id))
            case EventType.WORKSPACE_MEMBER_ADDED if member.workspace_id is not None and member.role != "guest":
                self.subscribe(member.user_id, stream_of_workspace(member.workspace_id))
            case EventType.WORKSPACE_MEMBER_REMOVED | EventType.WORKSPACE_MEMBER_UPDATED:
                # It may open or close any number of chats: the database knows which.
                if member.user_id in self._people:
                    self.stale.add(member.user_id)
            case _:
                pass

    def _leave(self, audience: Audience, receiver: Receiver) -> None:
        _seats(audience, receiver).pop(receiver, None)
        if not audience.sse and not audience.ws:
            self._audiences.pop(audience.stream, None)


class _Member(msgspec.Struct):
    user_id: int
    chat_id: int | None = None
    workspace_id: int | None = None
    role: str | None = None


_CHANGES = frozenset(
    {
        EventType.CHAT_CREATED,
        EventType.MEMBER_ADDED,
        EventType.MEMBER_REMOVED,
        EventType.WORKSPACE_MEMBER_ADDED,
        EventType.WORKSPACE_MEMBER_REMOVED,
        EventType.WORKSPACE_MEMBER_UPDATED,
    }
)


class Packing:
    """Frames on their way to receivers, so that each receiver gets all of its own in one write."""

    def __init__(self) -> None:
        self._root = Parcel()
        self._touched: list[Receiver] = []
        self._size = 0

    def has_room_for(self, frame: Frame) -> bool:
        """Whether a receiver of everything packed so far may get `frame` in the same write."""
        return self._size == 0 or self._size + frame.size <= PACK_BYTES

    def add(self, frame: Frame, receivers: Iterable[Receiver]) -> None:
        self._size += frame.size
        for receiver in receivers:
            if receiver.parcel is None:
                receiver.parcel = self._root
                self._touched.append(receiver)
            receiver.parcel = receiver.parcel.with_(frame)

    def send(self) -> list[Receiver]:
        """Write what is packed; return whom it went to."""
        touched, self._touched, self._root, self._size = self._touched, [], Parcel(), 0
        for receiver in touched:
            parcel, receiver.parcel = receiver.parcel, None
            if parcel is not None:
                receiver.send(parcel.ws if receiver.speaks_ws else parcel.sse)
        return touched


def _seats(audience: Audience, receiver: Receiver) -> dict[Receiver, None]:
    return audience.ws if receiver.speaks_ws else audience.sse
