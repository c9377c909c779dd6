"""The event log: each change once, in its stream, with the next position there.

append        write events in the caller's transaction; only actions call it

A new message's event is written by the statement that writes the message (posting.py, history.py).
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from fechatter.domain.chats import Chat
from fechatter.domain.events import Event, Payload
from fechatter.domain.messages import Message
from fechatter.store.database import Connection
from fechatter.store.log.outbox import Written, outbox_of

# One order for all transactions, so that two that touch the same streams wait for each other and never deadlock.
_OWNERS = {"workspace": "workspaces", "chat": "chats", "user": "users"}


async def append(connection: Connection, events: Sequence[Event]) -> list[int]:
    """Append `events` in order and return their positions. Locks their streams until the transaction ends.

    The streams' rows (workspaces, chats, users) must exist.
    """
    if not events:
        return []
    next_pos = await _reserve(connection, Counter(event.stream for event in events))
    positions: list[int] = []
    for event in events:
        positions.append(next_pos[event.stream])
        next_pos[event.stream] += 1
    await connection.execute(
        """
        INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id, payload)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::json[])
        """,
        [event.stream for event in events],
        positions,
        [event.workspace_id for event in events],
        [event.type for event in events],
        [event.chat_id for event in events],
        [_message_id(event.payload) for event in events],
        _payloads(events),
    )
    if (outbox := outbox_of(connection)) is not None:
        outbox.events += [
            Written(event.stream, pos, event.workspace_id) for event, pos in zip(events, positions, strict=True)
        ]
    return positions


async def _reserve(connection: Connection, counts: Counter[str]) -> dict[str, int]:
    """Move each stream's last position on by its count; return the first new position of each."""
    first: dict[str, int] = {}
    for kind, table in _OWNERS.items():
        prefix = f"{kind}:"
        wanted = {int(stream.removeprefix(prefix)): n for stream, n in counts.items() if stream.startswith(prefix)}
        if not wanted:
            continue
        rows = await connection.fetch(
            f"""
            WITH locked AS (
                SELECT id FROM {table} WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE {table} t SET last_pos = t.last_pos + n.count
            FROM locked JOIN unnest($1::bigint[], $2::bigint[]) AS n (id, count) USING (id)
            WHERE t.id = locked.id
            RETURNING t.id, t.last_pos - n.count + 1 AS first
            """,
            list(wanted),
            list(wanted.values()),
        )
        first |= {f"{prefix}{row['id']}": row["first"] for row in rows}
    return first


def _message_id(payload: Payload) -> int | None:
    """The message that is read when the event is delivered: as it is then, a tombstone if it was deleted."""
    if isinstance(payload, Chat):
        return payload.last_message and payload.last_message.id
    return payload.id if isinstance(payload, Message) else None


def _payloads(events: Sequence[Event]) -> list[str | None]:
    """Encode each payload once, also when the same object goes to a thousand streams. No text of a message."""
    encoded: dict[int, str | None] = {}
    for event in events:
        if id(event.payload) not in encoded:
            encoded[id(event.payload)] = _encode(event.payload)
    return [encoded[id(event.payload)] for event in events]


def _encode(payload: Payload) -> str | None:
    if isinstance(payload, Message):
        return None
    if isinstance(payload, Chat):
        payload = msgspec.structs.replace(payload, last_message=None)
    return msgspec.json.encode(payload).decode()
