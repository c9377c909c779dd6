"""Pushes that wait to be sent: one row for each message and device.

plan        rows for new messages, for the devices whose owners want to be told
plan_test   one for a device of the caller
claim       those that are due, for one sender, with whether they may still go
done        sent, or not to be sent any more
postpone    the push service does not take it now
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from fechatter.domain.chats import ChatType
from fechatter.domain.people import Caller
from fechatter.domain.push import PushSettings
from fechatter.store.database import Connection, Row
from fechatter.store.people.sessions import RENEWABLE
from fechatter.store.people.users import SHUT_OUT
from fechatter.store.push.settings import settings_from

TEST = 0
"""In the place of a message's id."""
LEASE = timedelta(seconds=60)
"""A sender that dies gives back so late what it had claimed."""
_SERVICE = "split_part(p.endpoint, '/', 3)"


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One push, to a device of `user_id` at `service`. `wanted`: they may still read the message, have not yet, and
    want to be told."""

    subscription_id: int
    message_id: int
    user_id: int
    service: str
    endpoint: str
    p256dh: str
    auth: str
    attempts: int
    expires_at: datetime
    wanted: bool
    settings: PushSettings
    locale: str
    chat_id: int | None
    chat_type: ChatType | None
    chat_name: str
    seq: int
    sender: str
    content: str
    files: int
    mentioned: bool


async def plan(connection: Connection, message_ids: Sequence[int], delay: timedelta, ttl: timedelta) -> None:
    """A message may come twice; one older than `ttl` is no news."""
    await connection.execute(
        """
        INSERT INTO push_deliveries (subscription_id, message_id, due_at, expires_at)
        SELECT s.id, m.id, m.created_at + $2::interval, m.created_at + $3::interval
        FROM messages m
        JOIN chats c ON c.id = m.chat_id
        JOIN chat_members cm ON cm.chat_id = m.chat_id AND cm.user_id <> m.sender_id AND cm.last_read_seq < m.seq
        JOIN push_subscriptions s ON s.user_id = cm.user_id
        LEFT JOIN push_settings p ON p.user_id = cm.user_id
        LEFT JOIN chat_notifications n ON n.chat_id = cm.chat_id AND n.user_id = cm.user_id
        WHERE m.id = ANY($1::bigint[]) AND m.deleted_at IS NULL AND m.created_at > now() - $3::interval
          AND (n.muted_until IS NULL OR n.muted_until <= now())
          AND CASE coalesce(n.level, CASE WHEN NOT coalesce(p.mentions_only, false) AND c.type IN ('Single', 'Group')
                                          THEN 'all' ELSE 'mentions' END)
              WHEN 'all' THEN true WHEN 'mentions' THEN coalesce(cm.user_id = ANY(m.mentions), false) ELSE false END
        ON CONFLICT DO NOTHING
        """,
        message_ids,
        delay,
        ttl,
    )


async def plan_test(connection: Connection, caller: Caller, subscription_id: int, ttl: timedelta) -> bool:
    """False if the device is not one of the caller's."""
    return bool(
        await connection.fetchval(
            """
            INSERT INTO push_deliveries (subscription_id, message_id, due_at, expires_at)
            SELECT id, $4, now(), now() + $3::interval FROM push_subscriptions WHERE id = $1 AND user_id = $2
            ON CONFLICT (subscription_id, message_id) DO UPDATE SET due_at = now(), expires_at = now() + $3::interval
            RETURNING true
            """,
            subscription_id,
            caller.user_id,
            ttl,
            TEST,
        )
    )


async def claim(
    connection: Connection, most: int, busy: Collection[str] = (), busy_people: Collection[int] = ()
) -> list[Due]:
    """Up to `most` that are due, but for those to push services and people that are busy; no other sender gets them
    within the lease."""
    rows = await connection.fetch(
        f"""
        WITH due AS MATERIALIZED (
            SELECT d.subscription_id, d.message_id
            FROM push_deliveries d JOIN push_subscriptions p ON p.id = d.subscription_id
            WHERE d.due_at <= now() AND {_SERVICE} <> ALL($4::text[]) AND p.user_id <> ALL($5::bigint[])
            ORDER BY d.due_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED
        ), claimed AS (
            UPDATE push_deliveries d SET due_at = now() + $2::interval, attempts = d.attempts + 1 FROM due
            WHERE d.subscription_id = due.subscription_id AND d.message_id = due.message_id
            RETURNING d.subscription_id, d.message_id, d.attempts, d.expires_at
        )
        SELECT d.*, p.user_id, {_SERVICE} AS service, p.endpoint, p.p256dh, p.auth, u.locale,
               own.mentions_only, own.hide_content, own.quiet_start, own.quiet_end, own.quiet_timezone,
               c.id AS chat_id, c.type AS chat_type, coalesce(c.name, '') AS chat_name,
               coalesce(m.seq, 0) AS seq, coalesce(sender.fullname, '') AS sender,
               left(coalesce(m.content, ''), 1000) AS content, coalesce(cardinality(m.files), 0) AS files,
               coalesce(u.id = ANY(m.mentions), false) AS mentioned,
               d.expires_at > now() AND s.ended_at IS NULL AND {RENEWABLE} AND u.status = 'Active' AND NOT {SHUT_OUT}
               AND (d.message_id = $3 OR cm.user_id IS NOT NULL AND wm.status = 'Active' AND m.deleted_at IS NULL
                    AND cm.last_read_seq < m.seq AND coalesce(n.level, '') <> 'nothing'
                    AND (n.muted_until IS NULL OR n.muted_until <= now())) AS wanted
        FROM claimed d
        JOIN push_subscriptions p ON p.id = d.subscription_id
        JOIN sessions s ON s.id = p.session_id
        JOIN users u ON u.id = p.user_id
        LEFT JOIN push_settings own ON own.user_id = p.user_id
        LEFT JOIN messages m ON m.id = d.message_id
        LEFT JOIN chats c ON c.id = m.chat_id
        LEFT JOIN users sender ON sender.id = m.sender_id
        LEFT JOIN chat_members cm ON cm.chat_id = m.chat_id AND cm.user_id = p.user_id
        LEFT JOIN workspace_members wm ON wm.workspace_id = c.workspace_id AND wm.user_id = p.user_id
        LEFT JOIN chat_notifications n ON n.chat_id = m.chat_id AND n.user_id = p.user_id
        ORDER BY d.message_id
        """,
        most,
        LEASE,
        TEST,
        busy,
        busy_people,
    )
    return [_due_from(row) for row in rows]


async def done(connection: Connection, due: Due) -> None:
    await connection.execute(
        "DELETE FROM push_deliveries WHERE subscription_id = $1 AND message_id = $2",
        due.subscription_id,
        due.message_id,
    )


async def postpone(connection: Connection, due: Due, wait: timedelta) -> None:
    """Tried again after `wait`, unless it is no news by then. What else waits for the device waits as long: one that
    does not answer holds up nobody else's.
    """
    await connection.execute(
        """
        WITH over AS (
            DELETE FROM push_deliveries
            WHERE subscription_id = $1 AND message_id = $2 AND expires_at <= now() + $3::interval
        )
        UPDATE push_deliveries SET due_at = greatest(due_at, now() + $3::interval)
        WHERE subscription_id = $1 AND (message_id <> $2 OR expires_at > now() + $3::interval)
        """,
        due.subscription_id,
        due.message_id,
        wait,
    )


def _due_from(row: Row) -> Due:
    own = {name: row[name] for name in Due.__struct_fields__ if name not in ("settings", "chat_type", "wanted")}
    chat_type = row["chat_type"] and ChatType(row["chat_type"])
    return Due(**own, settings=settings_from(row), chat_type=chat_type, wanted=bool(row["wanted"]))
