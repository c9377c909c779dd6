"""Who hears which stream, in memory, and the sending of events to them. No I/O; the sequencer alone calls it.

Hub.attach   a user's connection hears the user's streams from now on
Hub.deliver  send events in order; membership changes among them take effect where they stand
Hub.detach   it hears nothing more
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from fechatter.bus import subjects
from fechatter.bus.interest import Interest
from fechatter.domain.events import EventType, stream_of_chat, stream_of_workspace
from fechatter.notify.cursor import Cursor
from fechatter.notify.fanout import Crowd, Fanout
from fechatter.notify.frames import Frame
from fechatter.notify.packing import Pack
from fechatter.notify.receiver import Receiver
from fechatter.store.log.replay import LoggedEvent

MORE = "You can see more than before: reload."


class Audience(Crowd):
    """Who hears a stream."""

    __slots__ = ("stream",)

    def __init__(self, stream: str) -> None:
        super().__init__()
        self.stream = stream


class Person:
    """A user with at least one connection attached.

    audiences   the streams the user hears: from the database at attach, then kept right by the events
    receivers   the user's attached connections
    workspaces  those the user is in, as the bus must hear of them
    """

    __slots__ = ("audiences", "receivers", "workspaces")

    def __init__(self) -> None:
        self.audiences: set[Audience] = set()
        self.receivers: list[Receiver] = []
        self.workspaces: set[int] = set()


class Hub:
    """All attached connections of this process.

    stale        users whose streams must be read from the database again, since an event said that they changed
    stale_since  the xid of the first such event: no cursor goes beyond it before they have been read; None: nobody is
    sent         the last position of each stream that was sent since the sequencer's last complete look
    deliveries   how many events have been handed to connections
    fanout       what they are sent through
    interest     what the bus must hear for them
    """

    def __init__(self, fanout: Fanout | None = None, interest: Interest | None = None) -> None:
        self.fanout = fanout or Fanout()
        self.interest = interest or Interest()
        self.stale: set[int] = set()
        self.stale_since: int | None = None
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

    def sockets(self, streams: Collection[str], *, without: int | None = None) -> tuple[Collection[int], ...]:
        """Of the connections that hear any of `streams`, each once, SSE and WebSocket; but for those of one user."""
        heard = [self._audiences[stream] for stream in streams if stream in self._audiences]
        person = None if without is None else self._people.get(without)
        if len(heard) == 1 and person is None:
            return heard[0].sse.fds, heard[0].ws.fds
        left_out = {receiver.fd for receiver in person.receivers} if person else set[int]()
        sse = {fd for audience in heard for fd in audience.sse.fds} - left_out
        return sse, {fd for audience in heard for fd in audience.ws.fds} - left_out

    def is_crowded(self, stream: str, most: int) -> bool:
        """Whether more than `most` connections hear `stream` here."""
        audience = self._audiences.get(stream)
        return audience is not None and len(audience) > most

    def streams_of(self, user_id: int) -> list[str] | None:
        """What the user hears; None if none of their connections is attached here."""
        person = self._people.get(user_id)
        return None if person is None else [audience.stream for audience in person.audiences]

    def attach(self, receiver: Receiver, streams: Iterable[str]) -> None:
        """From the next event on, `receiver` hears `streams`, which are what its user may see at this moment.

        Does nothing if its socket is closed.
        """
        if receiver not in self.fanout:
            return
        user_id = receiver.session.caller.user_id
        person = self._people.get(user_id)
        if person is None:
            person = self._people[user_id] = Person()
            self.interest.gain(subjects.of_user(user_id))
        if receiver not in person.receivers:
            person.receivers.append(receiver)
        self.set_streams(user_id, streams)
        for audience in person.audiences:
            audience.seats_of(receiver).seat(receiver)

    def detach(self, receiver: Receiver) -> None:
        """`receiver` hears nothing more. Does nothing if it is not attached.

        If its user is stale, what it was sent is no base to go on from: it may have missed what the user sees again.
        """
        user_id = receiver.session.caller.user_id
        person = self._people.get(user_id)
        if person is None or receiver not in person.receivers:
            return
        if user_id in self.stale:
            receiver.session.give_up_replay(MORE)
        person.receivers.remove(receiver)
        self.fanout.leave_out(receiver)
        for audience in person.audiences:
            self._leave(audience, receiver)
        if not person.receivers:
            self.set_workspaces(user_id, ())
            self.interest.lose(subjects.of_user(user_id))
            del self._people[user_id]
            self.stale.discard(user_id)
            if not self.stale:
                self.stale_since = None

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

    def set_workspaces(self, user_id: int, workspaces: Collection[int]) -> None:
        """The user is in these workspaces and no others."""
        person = self._people.get(user_id)
        if person is None:
            return
        for workspace_id in person.workspaces.difference(workspaces):
            person.workspaces.discard(workspace_id)
            self.interest.lose(subjects.of_workspace(workspace_id))
        for workspace_id in workspaces:
            self._enter_workspace(person, workspace_id)

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
            audience.seats_of(receiver).seat(receiver)

    def unsubscribe(self, user_id: int, stream: str) -> None:
        """The user's connections hear `stream` no more, beginning with the next event."""
        person, audience = self._people.get(user_id), self._audiences.get(stream)
        if person is None or audience is None:
            return
        person.audiences.discard(audience)
        for receiver in person.receivers:
            self._leave(audience, receiver)

    def refreshed(self) -> None:
        """What the stale users may see is being read, in a snapshot that shows all that was delivered."""
        self.stale.clear()
        self.stale_since = None

    async def deliver(self, batch: Sequence[tuple[LoggedEvent, Cursor]]) -> None:
        """Send events, each with its cursor, to whoever hears their streams. One write a connection, if small."""
        if len(batch) == 1:
            await self._deliver_one(*batch[0])
        else:
            await self._deliver_together(batch)

    def settle(self) -> None:
        """The transaction whose events were sent last has no more of them."""
        joining, self._joining = self._joining, []
        for user_id, stream in joining:
            self.subscribe(user_id, stream)

    async def _deliver_one(self, event: LoggedEvent, cursor: Cursor) -> None:
        audience = self._audience_for(event)
        self.sent[event.stream] = event.pos
        if audience is None or event.payload is None:
            return
        frame = Frame.of(event, self._held_back(cursor))
        self.deliveries += len(audience)
        sse, ws = audience.sse, audience.ws
        await self.fanout.write([(sse.fds, frame.sse if sse else b""), (ws.fds, frame.ws if ws else b"")])

    async def _deliver_together(self, batch: Sequence[tuple[LoggedEvent, Cursor]]) -> None:
        pack = Pack(self.fanout)
        for event, cursor in batch:
            if self._moves_somebody(event):
                await pack.send()  # to those who hear the streams before it
            audience = self._audience_for(event)
            if audience is not None and event.payload is not None:
                frame = Frame.of(event, self._held_back(cursor))
                if not pack.has_room_for(frame):
                    await pack.send()
                pack.add(frame, audience)
                self.deliveries += len(audience)
            self.sent[event.stream] = event.pos
        await pack.send()

    def _held_back(self, cursor: Cursor) -> str:
        """The cursor as it may leave now: who sees more than before has not been told yet, and may be cut off."""
        since = self.stale_since
        return str(cursor if since is None or cursor.xid <= since else Cursor(cursor.epoch, since))

    def _moves_somebody(self, event: LoggedEvent) -> bool:
        """Whether somebody may come into an audience or go, before or with this event."""
        return event.type in _CHANGES or (event.xid != self._xid and bool(self._joining))

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
        if event.type == EventType.WORKSPACE_MEMBER_ADDED:
            self._enter_workspace(self._people.get(member.user_id), member.workspace_id)
        kind = event.stream.partition(":")[0]
        match event.type:
            case EventType.MEMBER_ADDED if kind == "chat":
                self.subscribe(member.user_id, event.stream)
            case EventType.MEMBER_REMOVED if member.chat_id is not None:
                self.unsubscribe(member.user_id, stream_of_chat(member.chat_id))
            case EventType.WORKSPACE_MEMBER_ADDED if member.workspace_id is not None and member.role != "guest":
                self.subscribe(member.user_id, stream_of_workspace(member.workspace_id))
            case _:
                pass
        if event.type in _OPENING and member.user_id in self._people:
            self.stale.add(member.user_id)
            self.stale_since = event.xid if self.stale_since is None else min(self.stale_since, event.xid)

    def _enter_workspace(self, person: Person | None, workspace_id: int | None) -> None:
        if person is not None and workspace_id is not None and workspace_id not in person.workspaces:
            person.workspaces.add(workspace_id)
            self.interest.gain(subjects.of_workspace(workspace_id))

    def _leave(self, audience: Audience, receiver: Receiver) -> None:
        audience.seats_of(receiver).leave(receiver)
        if not len(audience):
            self._audiences.pop(audience.stream, None)


class _Member(msgspec.Struct):
    user_id: int
    chat_id: int | None = None
    workspace_id: int | None = None
    role: str | None = None


_OPENING = frozenset(
    {
        EventType.WORKSPACE_MEMBER_ADDED,
        EventType.WORKSPACE_MEMBER_REMOVED,
        EventType.WORKSPACE_MEMBER_UPDATED,
    }
)
"""They may open or close any number of chats, Singles of who comes back too: the database knows which."""
_CHANGES = _OPENING | {EventType.CHAT_CREATED, EventType.MEMBER_ADDED, EventType.MEMBER_REMOVED}
