"""Who is here: streams that are open, what people last did, and what they say of themselves.

touch        these users have a stream open; notify servers say so every 20 s, and at once for a first stream
leave        these users have closed their last stream
note_active  these users did something
set_status   what one user chose
settle       tell others what has changed by the mere passing of time
of_users     the presence of people whom the viewer may know of

Each change of a status is announced once, to those who share a chat with the person.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from secrets import token_hex

from fechatter.domain.events import Ephemeral, EventType, peers_of
from fechatter.domain.people import Presence, UserPresence
from fechatter.store.database import Connection, Row, struct_from
from fechatter.store.log import ephemeral
from fechatter.store.people.presence_status import LAST_SEEN, NOTE, STATUS
from fechatter.store.people.users import VISIBLE

_PRESENCE = f"{STATUS} AS status, {NOTE} AS text, {LAST_SEEN} AS last_seen_at"
# Rows are locked in the order of their ids: two servers that speak of the same people do not lock each other out.
_CONNECTED = """
    INSERT INTO presence AS p (user_id, connected_at)
    SELECT u.id, now() FROM users u WHERE u.id = ANY($1::bigint[]) ORDER BY u.id
    ON CONFLICT (user_id) DO UPDATE SET connected_at = now()
    WHERE p.connected_at IS NULL OR p.connected_at < now() - interval '5 seconds' OR p.left_at >= p.connected_at
"""
_LEFT = """
    WITH present AS (SELECT user_id FROM presence WHERE user_id = ANY($1::bigint[]) ORDER BY user_id FOR UPDATE)
    UPDATE presence p SET left_at = now() FROM present WHERE p.user_id = present.user_id
"""
_ACTIVE = """
    INSERT INTO presence AS p (user_id, active_at)
    SELECT u.id, now() FROM users u WHERE u.id = ANY($1::bigint[]) ORDER BY u.id
    ON CONFLICT (user_id) DO UPDATE SET active_at = now()
    WHERE p.active_at IS NULL OR p.active_at < now() - interval '20 seconds' OR p.left_at >= p.active_at
"""
_CHANGED = f"""
    WITH changed AS (
        SELECT p.user_id FROM presence p WHERE %s AND p.told <> {STATUS} ORDER BY p.user_id FOR UPDATE SKIP LOCKED)
    UPDATE presence p SET told = {STATUS} FROM changed WHERE p.user_id = changed.user_id
    RETURNING p.user_id, {_PRESENCE}
"""


async def touch(connection: Connection, user_ids: Collection[int]) -> None:
    """These users have a stream open at this moment. Good for 60 s."""
    await connection.execute(_CONNECTED, list(user_ids))
    await _tell_changes(connection, user_ids)


async def leave(connection: Connection, user_ids: Collection[int]) -> None:
    """These users have closed their last stream. One who has another elsewhere comes back with its next touch."""
    await connection.execute(_LEFT, list(user_ids))
    await _tell_changes(connection, user_ids)


async def note_active(connection: Connection, user_ids: Collection[int]) -> None:
    """These users did something: who does nothing for 10 minutes is away."""
    await connection.execute(_ACTIVE, list(user_ids))
    await _tell_changes(connection, user_ids)


async def set_status(
    connection: Connection, user_id: int, status: Presence, text: str | None, until: datetime | None
) -> UserPresence:
    """What the user chose, up to `until` (None: for good). ONLINE means: as it is."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO presence AS p (user_id, chosen, chosen_at, note, until, active_at)
        VALUES ($1, nullif($2, 'online'), now(), $3, $4, now())
        ON CONFLICT (user_id) DO UPDATE SET chosen = EXCLUDED.chosen, chosen_at = now(), note = EXCLUDED.note,
            until = EXCLUDED.until, active_at = now()
        RETURNING p.user_id, {_PRESENCE}
        """,
        user_id,
        status.value,
        text,
        until,
    )
    assert row is not None
    chosen = struct_from(row, UserPresence)
    await connection.execute("UPDATE presence SET told = $2 WHERE user_id = $1", user_id, chosen.status.value)
    await _announce(connection, [row])
    return chosen


async def settle(connection: Connection) -> None:
    """Tell of those who have become away or offline, or whose choice has ended."""
    await _announce(connection, await connection.fetch(_CHANGED % "p.told <> 'offline'"))


async def of_users(connection: Connection, viewer_id: int, user_ids: Collection[int]) -> Sequence[UserPresence]:
    """The presence of those of `user_ids` whom the viewer may know of, in the order of their ids."""
    rows = await connection.fetch(
        f"""
        SELECT u.id AS user_id, {_PRESENCE} FROM users u LEFT JOIN presence p ON p.user_id = u.id
        WHERE u.id = ANY($3::bigint[]) AND {VISIBLE} ORDER BY u.id
        """,
        viewer_id,
        None,
        list(user_ids),
    )
    return [struct_from(row, UserPresence) for row in rows]


async def _tell_changes(connection: Connection, user_ids: Collection[int]) -> None:
    await _announce(connection, await connection.fetch(_CHANGED % "p.user_id = ANY($1::bigint[])", list(user_ids)))


async def _announce(connection: Connection, rows: Sequence[Row]) -> None:
    await ephemeral.announce_all(
        connection,
        [
            Ephemeral(
                id=token_hex(8),
                type=EventType.PRESENCE_CHANGED,
                to=peers_of(row["user_id"]),
                payload=struct_from(row, UserPresence),
            )
            for row in rows
        ],
    )
