"""Reading the event log: what is new since a snapshot, what a returning client missed, and who may see it.

look           where the log stands: snapshot, epoch, floor, highest xid
new_events     what committed since `seen`, up to a limit, in one statement
stream_new     the same without a limit, in chunks; needs a REPEATABLE READ transaction
admit          which callers may come in, and the streams each may see
spans          where in its stream each replay begins
stream_spans   the events of spans, in chunks; needs a REPEATABLE READ transaction
chats_of       the chats of some users
ended          which of some callers have lost access
lately_ended   who has lost access in the last minute

Every statement is cheap whatever the size of the log: new events are found by xid, missed ones by (stream, pos).
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from fechatter.domain.events import stream_of_chat, stream_of_user, stream_of_workspace
from fechatter.domain.messages import Message
from fechatter.domain.people import Caller
from fechatter.store.database import Connection, Row
from fechatter.store.messages import messages


class Snapshot(NamedTuple):
    """PostgreSQL's pg_snapshot: xids below xmin and those below xmax that are not in progress have ended."""

    xmin: int
    xmax: int
    in_progress: tuple[int, ...]


class Seen(msgspec.Struct, frozen=True):
    """Which events have been read: those with an xid up to `highest`, except of the transactions `pending`.

    `highest` is the xid of an event, never merely a snapshot's xmax: after a crash PostgreSQL gives out again the xids
    above the last one that reached its disk, and an event that comes under such an xid must count as unread.
    """

    highest: int
    pending: tuple[int, ...] = ()

    @property
    def watermark(self) -> int:
        """Every event with a lower xid has been read."""
        return self.pending[0] if self.pending else self.highest + 1

    def after(self, snapshot: Snapshot, highest: int) -> "Seen":
        """What has been read once everything that `snapshot` shows up to `highest` has."""
        top = max(self.highest, highest)
        return Seen(top, tuple(sorted(xid for xid in snapshot.in_progress if xid <= top)))

    def through(self, snapshot: Snapshot, xid: int) -> "Seen":
        """What has been read once everything new that `snapshot` shows up to `xid`, and nothing above, has."""
        if xid >= self.highest:
            return self.after(snapshot, xid)
        return Seen(self.highest, tuple(each for each in self.pending if each > xid or each in snapshot.in_progress))


class Log(msgspec.Struct, frozen=True):
    """Where the log stands. Cursors below `floor` reach back to events that were pruned."""

    epoch: str
    floor: int
    snapshot: Snapshot
    highest: int

    @property
    def seen(self) -> Seen:
        """All that `snapshot` shows, as read."""
        return Seen(self.highest).after(self.snapshot, self.highest)


class LoggedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as it is in the log. `payload`: the message as it is now, or JSON; None if the message is gone."""

    stream: str
    pos: int
    xid: int
    type: str
    chat_id: int | None
    at: datetime
    payload: Message | bytes | None


class News(msgspec.Struct, frozen=True):
    """What one look brought, in xid order. Not `complete`: there is more than the limit, so nothing counts as read."""

    log: Log
    events: list[LoggedEvent]
    complete: bool


class Admission(msgspec.Struct, frozen=True):
    """The streams that a user may see, each with the position from which on (0: all of it), and their workspaces."""

    streams: dict[str, int]
    workspaces: frozenset[int] = frozenset()


class Span(NamedTuple):
    """A stretch of a stream: positions after `after`, up to `last`."""

    after: int
    last: int


class Loss(NamedTuple):
    """A session that ended, or a user who was suspended (no session: all of theirs), and when."""

    user_id: int
    session_id: int | None
    at: datetime


SWEEP_LIMIT = 1_000

LOGGED = "stream, pos, xid, type, chat_id, at, message_id, payload"
EVENT_COLUMNS = (
    "e.stream AS event_stream, e.pos AS event_pos, e.xid AS event_xid, e.type AS event_type, "
    f"e.chat_id AS event_chat_id, e.at AS event_at, e.payload AS event_payload, {messages.COLUMNS}"
)
# LIMIT keeps the planner from turning the look-up of a few messages into a join over all of them.
WITH_MESSAGE = "LEFT JOIN LATERAL (SELECT * FROM messages WHERE id = e.message_id LIMIT 1) m ON true"
# Within a transaction a newcomer's own streams come first: a client knows a chat before it hears from it.
_ORDER = "ORDER BY e.xid, e.stream DESC, e.pos"
LOG = """
    SELECT d.epoch, d.log_floor, pg_current_snapshot() AS snapshot,
           coalesce((SELECT max(xid) FROM events), '0') AS highest
    FROM database_identity d
"""
# Two index scans instead of one condition with OR: the first is a range, the second a handful of keys.
_NEW = f"""
    (SELECT {LOGGED} FROM events WHERE xid > $1 ORDER BY xid LIMIT {SWEEP_LIMIT + 1})
    UNION ALL
    (SELECT {LOGGED} FROM events WHERE xid = ANY($2::xid8[]) ORDER BY xid LIMIT {SWEEP_LIMIT + 1})
"""
_NEW_WITHOUT_LIMIT = f"""
    SELECT {LOGGED} FROM events WHERE xid > $1
    UNION ALL
    SELECT {LOGGED} FROM events WHERE xid = ANY($2::xid8[])
"""


async def look(connection: Connection) -> Log:
    """Where the log stands in the transaction's snapshot."""
    row = await connection.fetchrow(LOG)
    assert row is not None, "database_identity has no row: the database was not migrated"
    return log_from(row)


async def new_events(connection: Connection, seen: Seen) -> News:
    """What committed since `seen`, in one statement, if it is SWEEP_LIMIT events or fewer."""
    rows = await connection.fetch(
        f"""
        SELECT log.*, {EVENT_COLUMNS}
        FROM ({LOG}) log LEFT JOIN ({_NEW}) e ON true {WITH_MESSAGE}
        {_ORDER}
        """,
        seen.highest,
        seen.pending,
    )
    events = [event_from(row) for row in rows if row["event_stream"] is not None]
    return News(log_from(rows[0]), events, len(events) <= SWEEP_LIMIT)


async def first_new(connection: Connection, seen: Seen) -> dict[str, int]:
    """The lowest new position of each stream that has news since `seen`."""
    rows = await connection.fetch(
        f"SELECT stream, min(pos) AS pos FROM ({_NEW_WITHOUT_LIMIT}) e GROUP BY stream", seen.highest, seen.pending
    )
    return {row["stream"]: row["pos"] for row in rows}


async def stream_new(connection: Connection, seen: Seen, chunk: int) -> AsyncGenerator[list[LoggedEvent]]:
    """What committed since `seen`, in xid order, `chunk` events at a time."""
    query = f"SELECT {EVENT_COLUMNS} FROM ({_NEW_WITHOUT_LIMIT}) e {WITH_MESSAGE} {_ORDER}"
    async for events in _in_chunks(connection, chunk, query, seen.highest, seen.pending):
        yield events


async def admit(connection: Connection, callers: Collection[Caller]) -> dict[Caller, Admission]:
    """Those of `callers` whose session goes on and whose user is active, with what each may see.

    Guests do not hear a workspace's stream: it speaks of people whom they do not know.
    """
    rows = await connection.fetch(
        """
        SELECT caller.user_id, caller.session_id, chat.ids AS chat_ids, chat.joined, workspace.ids AS workspace_ids,
               workspace.heard, workspace.heard_from
        FROM unnest($1::bigint[], $2::bigint[]) AS caller (user_id, session_id)
        JOIN sessions s ON s.id = caller.session_id AND s.user_id = caller.user_id AND s.ended_at IS NULL
        JOIN users u ON u.id = caller.user_id AND u.status = 'Active'
        CROSS JOIN LATERAL (
            SELECT array_agg(cm.chat_id) AS ids, array_agg(cm.joined_pos) AS joined
            FROM chat_members cm JOIN workspace_members wm
                ON wm.workspace_id = cm.workspace_id AND wm.user_id = cm.user_id AND wm.status = 'Active'
            WHERE cm.user_id = caller.user_id) chat
        CROSS JOIN LATERAL (
            SELECT array_agg(wm.workspace_id) AS ids,
                   array_agg(wm.workspace_id) FILTER (WHERE wm.role <> 'guest') AS heard,
                   array_agg(wm.joined_pos) FILTER (WHERE wm.role <> 'guest') AS heard_from
            FROM workspace_members wm WHERE wm.user_id = caller.user_id AND wm.status = 'Active') workspace
        """,
        [caller.user_id for caller in callers],
        [caller.session_id for caller in callers],
    )
    return {Caller(row["user_id"], row["session_id"]): _admission(row) for row in rows}


async def spans(connection: Connection, since: Mapping[str, int]) -> dict[str, Span]:
    """For each stream with events at or above the xid in `since`: the stretch that holds them all.

    A stream's positions are in commit order, its xids nearly. Going back from the newest event, the first one below
    the cursor's xid ends the stretch: it ended before the cursor was made, so whatever is before it in the stream had
    been committed, and delivered, by then.
    """
    rows = await connection.fetch(
        """
        SELECT wanted.stream, coalesce(before.pos, oldest.pos - 1) AS after, newest.pos AS last
        FROM unnest($1::text[], $2::xid8[]) AS wanted (stream, since)
        CROSS JOIN LATERAL (
            SELECT e.pos, e.xid FROM events e WHERE e.stream = wanted.stream ORDER BY e.pos DESC LIMIT 1) newest
        CROSS JOIN LATERAL (
            SELECT e.pos FROM events e WHERE e.stream = wanted.stream ORDER BY e.pos LIMIT 1) oldest
        LEFT JOIN LATERAL (
            SELECT e.pos FROM events e WHERE e.stream = wanted.stream AND e.xid < wanted.since
            ORDER BY e.pos DESC LIMIT 1) before ON true
        WHERE newest.pos > coalesce(before.pos, 0)
        """,
        list(since),
        list(since.values()),
    )
    return {row["stream"]: Span(row["after"], row["last"]) for row in rows}


async def stream_spans(
    connection: Connection, wanted: Mapping[str, Span], chunk: int
) -> AsyncGenerator[list[LoggedEvent]]:
    """The events of the spans, in xid order, `chunk` at a time."""
    query = f"""
        SELECT {EVENT_COLUMNS}
        FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS wanted (stream, after, last)
        CROSS JOIN LATERAL (
            SELECT {LOGGED} FROM events
            WHERE events.stream = wanted.stream AND events.pos > wanted.after AND events.pos <= wanted.last) e
        {WITH_MESSAGE} {_ORDER}
    """
    after, last = [span.after for span in wanted.values()], [span.last for span in wanted.values()]
    async for events in _in_chunks(connection, chunk, query, list(wanted), after, last):
        yield events


async def ended(connection: Connection, callers: Collection[Caller]) -> list[Caller]:
    """Those of `callers` whose session has ended or whose user is no longer active."""
    rows = await connection.fetch(
        """
        SELECT caller.user_id, caller.session_id
        FROM unnest($1::bigint[], $2::bigint[]) AS caller (user_id, session_id)
        LEFT JOIN sessions s ON s.id = caller.session_id AND s.user_id = caller.user_id
        LEFT JOIN users u ON u.id = caller.user_id
        WHERE s.id IS NULL OR s.ended_at IS NOT NULL OR u.status IS DISTINCT FROM 'Active'
        """,
        [caller.user_id for caller in callers],
        [caller.session_id for caller in callers],
    )
    return [Caller(row["user_id"], row["session_id"]) for row in rows]


async def lately_ended(connection: Connection) -> set[Loss]:
    """Who has lost access in the last minute. It may miss somebody if the database's clock jumps: ask `ended` too."""
    rows = await connection.fetch(
        """
        SELECT user_id, id AS session_id, ended_at AS at FROM sessions WHERE ended_at > now() - interval '60 seconds'
        UNION ALL
        SELECT id, NULL, updated_at FROM users WHERE status = 'Suspended' AND updated_at > now() - interval '60 seconds'
        """
    )
    return {Loss(row["user_id"], row["session_id"], row["at"]) for row in rows}


async def chats_of(connection: Connection, user_ids: Sequence[int]) -> dict[int, list[int]]:
    """The chats of each user, without those of workspaces that have suspended them."""
    rows = await connection.fetch(
        """
        SELECT cm.user_id, array_agg(cm.chat_id) AS chats
        FROM chat_members cm JOIN workspace_members wm
            ON wm.workspace_id = cm.workspace_id AND wm.user_id = cm.user_id AND wm.status = 'Active'
        WHERE cm.user_id = ANY($1::bigint[]) GROUP BY cm.user_id
        """,
        user_ids,
    )
    return {row["user_id"]: row["chats"] for row in rows}


async def _in_chunks(
    connection: Connection, chunk: int, query: str, *args: object
) -> AsyncGenerator[list[LoggedEvent]]:
    cursor = await connection.cursor(query, *args)
    while rows := await cursor.fetch(chunk):
        yield [event_from(row) for row in rows]
        if len(rows) < chunk:
            return


def log_from(row: Row) -> Log:
    """The log of a row that has the columns of LOG."""
    # Events below the floor are gone, but were read by whoever holds a cursor above it.
    highest = max(row["highest"], row["log_floor"] - 1)
    return Log(row["epoch"], row["log_floor"], Snapshot(*row["snapshot"]), highest)


def event_from(row: Row) -> LoggedEvent:
    """The event of a row that has EVENT_COLUMNS."""
    return LoggedEvent(
        row["event_stream"],
        row["event_pos"],
        row["event_xid"],
        row["event_type"],
        row["event_chat_id"],
        row["event_at"],
        _payload(row),
    )


def _payload(row: Row) -> Message | bytes | None:
    message = None if row["id"] is None else messages.from_row(row)
    if (text := row["event_payload"]) is None:
        return message
    return text.encode() if message is None else _with_last_message(text, message)


def _with_last_message(chat: str, message: Message) -> bytes:
    """A chat's payload with its last message as it is now: the log holds no text of messages."""
    payload = msgspec.json.decode(chat, type=dict[str, msgspec.Raw])
    payload["last_message"] = msgspec.Raw(msgspec.json.encode(message))
    return msgspec.json.encode(payload)


def _admission(row: Row) -> Admission:
    streams = {stream_of_user(row["user_id"]): 0}
    streams |= {
        stream_of_workspace(id_): joined
        for id_, joined in zip(row["heard"] or (), row["heard_from"] or (), strict=True)
    }
    streams |= {
        stream_of_chat(id_): joined for id_, joined in zip(row["chat_ids"] or (), row["joined"] or (), strict=True)
    }
    return Admission(streams, frozenset(row["workspace_ids"] or ()))
