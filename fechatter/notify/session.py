"""What happens on one stream of a client, decided without I/O; SSE and WebSocket share it.

                    ┌────────── lag ──────────┐
    WAITING ──→ REPLAYING ──→ LIVE ──→ LAGGING ──→ WAITING (with a cursor)
        └───────────────────────↑
    any ──→ ENDED

What is asked of a session in another phase than it is meant for does nothing: whoever asks may have waited for the
database meanwhile. Above all, nothing leads out of ENDED.

WAITING     asked to come in, or to resume; nothing is sent
REPLAYING   hello has been sent; what was missed follows
LIVE        hears events as they come
LAGGING     its buffer was full: hears nothing until the client has read it, then catches up from `since`
ENDED       goodbye was said, or the connection is gone
"""

from collections.abc import Mapping
from enum import Enum, auto

import msgspec

from fechatter.domain.people import Caller
from fechatter.notify import frames
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.cursor import Cursor
from fechatter.notify.frames import Frame
from fechatter.store.log.replay import Log, LoggedEvent, Seen


class Phase(Enum):
    WAITING = auto()
    REPLAYING = auto()
    LIVE = auto()
    LAGGING = auto()
    ENDED = auto()


class Had(msgspec.Struct, frozen=True):
    """What a connection has got already, beside all that is below the xid it replays from."""

    seen: Seen | None = None
    positions: dict[str, int] = {}

    def covers(self, event: LoggedEvent) -> bool:
        """Whether it got this event."""
        if event.pos <= self.positions.get(event.stream, 0):
            return True
        return self.seen is not None and event.xid <= self.seen.highest and event.xid not in self.seen.pending

    def and_(self, positions: Mapping[str, int]) -> "Had":
        """And, of these streams, everything up to a position.

        A replay that breaks off early may name a lower one than an earlier, longer replay reached.
        """
        higher = {stream: pos for stream, pos in positions.items() if pos > self.positions.get(stream, 0)}
        return Had(self.seen, self.positions | higher)


NOTHING = Had()


class Session:
    """One stream.

    caller   who listens; never changes
    phase    see above
    token    the cursor as the client gave it, until it is judged
    since    the xid to replay from; None: nothing to replay
    had      what replay leaves out, since this connection has got it
    epoch    of the log that `since` belongs to
    rounds   how often it has caught up since it was last live
    visit    changes when it is let in and when it asks to resume; what was under way for an earlier one is void
    """

    __slots__ = (
        "_greeted",
        "_heartbeat_s",
        "_held",
        "_resync",
        "caller",
        "epoch",
        "had",
        "phase",
        "rounds",
        "since",
        "token",
        "visit",
    )

    def __init__(self, caller: Caller, token: str | None, heartbeat_s: float) -> None:
        self.caller = caller
        self.phase = Phase.WAITING
        self.token = token
        self.since: int | None = None
        self.had = NOTHING
        self.epoch = ""
        self.rounds = 0
        self.visit = 0
        self._greeted = False
        self._resync: str | None = None
        self._held: Cursor | None = None  # what the client came back with, once judged
        self._heartbeat_s = heartbeat_s

    @property
    def returning(self) -> bool:
        """Whether something may have to be replayed before it goes live."""
        return self.token is not None or self.since is not None

    @property
    def ready(self) -> bool:
        """Whether it may go live in the snapshot that it was replayed up to."""
        return self.phase is Phase.REPLAYING or (self.phase is Phase.WAITING and not self.returning)

    def resume(self, token: str) -> None:
        """The client asks to go on from `token`: it will be greeted anew, once it has read what is buffered."""
        if self.phase is Phase.ENDED:
            return
        if self.phase is not Phase.LAGGING:
            self.phase = Phase.WAITING
        self.visit += 1
        self.token, self.since, self.had, self.rounds = token, None, NOTHING, 0
        self._greeted, self._resync = False, None

    def judge(self, log: Log) -> list[Frame]:
        """Decide where replay begins. A cursor that cannot be honoured leads to resync_required, once live."""
        if self.phase not in (Phase.WAITING, Phase.REPLAYING):
            return []
        self.phase = Phase.REPLAYING
        self.visit += 1
        if self.token is not None:
            cursor, self.token = Cursor.parse(self.token), None
            self._resync = _refuse(cursor, log)
            self._held = cursor
            self.since = None if cursor is None or self._resync else cursor.xid
            self.epoch = log.epoch
        else:
            self.give_up_replay_unless(log.epoch, log.floor)
        return [] if self.since is None or self._greeted else self._greet(Cursor(log.epoch, self.since))

    def give_up_replay(self, reason: str) -> None:
        """What was missed is too much to send: the client reloads instead."""
        self._resync, self.since, self.had = reason, None, NOTHING

    def give_up_replay_unless(self, epoch: str, floor: int) -> None:
        """Positions in the log of another database mean nothing in this one; below the floor, events were pruned."""
        if self.since is not None and (self.epoch != epoch or self.since < floor):
            self.give_up_replay(NEW_EPOCH if self.epoch != epoch else OLD)

    def reload(self, reason: str) -> None:
        """It has to come in again, and the client to reload."""
        if self.phase is Phase.ENDED:
            return
        self.phase = Phase.WAITING
        self.token = None
        self.give_up_replay(reason)

    def missed(self, event: LoggedEvent, joined_pos: int) -> bool:
        """Whether replay sends this event of a stream that the user may see from `joined_pos` on."""
        if self.phase is not Phase.REPLAYING or self.since is None:
            return False
        return event.xid >= self.since and event.pos >= joined_pos and not self.had.covers(event)

    def replayed(self, seen: Seen) -> None:
        """All that was missed of what `seen` covers has been sent."""
        if self.since is not None:
            self.since, self.had = max(self.since, seen.watermark), Had(seen)
            self.rounds += 1

    def broke_off(self, sent: Mapping[str, int]) -> None:
        """Of what was missed, this was sent, up to a position of each stream; the rest comes another time."""
        if self.phase is Phase.REPLAYING:
            self.had = self.had.and_(sent)

    def go_live(self, epoch: str, watermark: int) -> list[Frame]:
        """From here on it hears everything at or above `watermark`; all below it may see has been sent."""
        if not (self.ready or self.phase is Phase.LIVE):
            return []
        self.phase, self.epoch = Phase.LIVE, epoch
        self.since, self.had, self.rounds = None, NOTHING, 0
        cursor = Cursor(epoch, watermark)
        if self._resync is None:
            return [] if self._greeted else self._greet(cursor)
        # Until resync_required has come too, the client must not hold a cursor as if nothing were missing.
        greeting = [] if self._greeted else self._greet(self._held or Cursor(epoch, 0))
        reason, self._resync = self._resync, None
        return [*greeting, frames.resync(reason, str(cursor))]

    def again(self) -> bool:
        """There is too much to send here and now: catch up once more. False if it has ended or fallen behind."""
        if self.phase is not Phase.REPLAYING:
            return False
        self.phase = Phase.WAITING
        return True

    def lag(self, watermark: int, had: Had) -> None:
        """The client reads too slowly: all below `watermark` was sent, and what it `had`; the rest must wait."""
        if self.phase in (Phase.LIVE, Phase.REPLAYING):
            self.since, self.had = max(self.since or 0, watermark), had
            self.phase = Phase.LAGGING

    def drained(self) -> None:
        """The client has read all that was sent."""
        if self.phase is Phase.LAGGING:
            self.phase = Phase.WAITING

    def end(self, code: CloseCode, retry_ms: int = 0, reason: str | None = None) -> list[Frame]:
        """The last word, unless it has been said."""
        if self.phase is Phase.ENDED:
            return []
        self.phase = Phase.ENDED
        return [frames.goodbye(code, retry_ms, reason)]

    def _greet(self, cursor: Cursor) -> list[Frame]:
        self._greeted = True
        return [frames.hello(self.caller, str(cursor), self._heartbeat_s)]


OLD = "The event log no longer reaches back to the cursor: reload."
TOO_MUCH = "Too much has happened since the cursor: reload."
NEW_EPOCH = "The database has been replaced: reload."


def _refuse(cursor: Cursor | None, log: Log) -> str | None:
    """Why a cursor cannot be resumed from; None if it can."""
    if cursor is None:
        return "The cursor is not one that this server gave out: reload."
    if cursor.epoch != log.epoch:
        return NEW_EPOCH
    if cursor.xid > log.snapshot.xmax:
        return "The cursor is from a future that this database does not have: reload."
    return OLD if cursor.xid < log.floor else None
