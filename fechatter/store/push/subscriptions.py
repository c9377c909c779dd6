"""Devices that get pushes, and the key that signs for all servers.

private_key   the installation's, made by whoever comes first
save          a device of the caller's session; its owner's oldest make room
list_         those whose sessions go on
remove        one of the caller's
remove_dead   the push service no longer knows it
used, refused how a push to it ended
tidy          forget the devices of sessions that have ended
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.people import Caller
from fechatter.domain.push import PushSubscription
from fechatter.store.database import Connection, struct_from
from fechatter.store.digests import digest_of

REFUSALS = 5
"""Refused so often in a row, an address is given up: its key is not ours, or it is no push service."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, and how to encrypt."""

    endpoint: str
    p256dh: str
    auth: str
    user_agent: str


async def private_key(connection: Connection, fresh: str) -> str:
    """The key that is kept; `fresh` if there was none. Of several servers that begin at once all get the same."""
    return await connection.fetchval(
        """
        INSERT INTO push_keys (private_key) VALUES ($1)
        ON CONFLICT (one) DO UPDATE SET one = true RETURNING private_key
        """,
        fresh,
    )


async def save(connection: Connection, caller: Caller, device: Device, most: int) -> PushSubscription:
    """A browser has one address: whoever is signed in there now has it. Beyond `most`, the oldest go."""
    row = await connection.fetchrow(
        """
        WITH surplus AS (
            DELETE FROM push_subscriptions WHERE id IN (
                SELECT id FROM push_subscriptions WHERE user_id = $1 AND endpoint_digest <> $4
                ORDER BY id DESC OFFSET $8)
        )
        INSERT INTO push_subscriptions AS s (user_id, session_id, endpoint, endpoint_digest, p256dh, auth, user_agent)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (endpoint_digest) DO UPDATE SET user_id = $1, session_id = $2, p256dh = $5, auth = $6,
            user_agent = $7, refusals = 0
        RETURNING id, user_agent, created_at, last_used_at, true AS current
        """,
        caller.user_id,
        caller.session_id,
        device.endpoint,
        digest_of(device.endpoint),
        device.p256dh,
        device.auth,
        device.user_agent,
        most - 1,
    )
    assert row is not None
    return struct_from(row, PushSubscription)


async def list_(connection: Connection, caller: Caller) -> Sequence[PushSubscription]:
    """The caller's, the latest first."""
    rows = await connection.fetch(
        """
        SELECT p.id, p.user_agent, p.created_at, p.last_used_at, p.session_id = $2 AS current
        FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id AND s.ended_at IS NULL
        WHERE p.user_id = $1 ORDER BY p.id DESC
        """,
        caller.user_id,
        caller.session_id,
    )
    return [struct_from(row, PushSubscription) for row in rows]


async def remove(connection: Connection, caller: Caller, subscription_id: int) -> bool:
    """False if it is not one of the caller's."""
    return bool(
        await connection.fetchval(
            "DELETE FROM push_subscriptions WHERE id = $1 AND user_id = $2 RETURNING true",
            subscription_id,
            caller.user_id,
        )
    )


async def remove_dead(connection: Connection, subscription_id: int, endpoint: str) -> None:
    """Unless the browser has brought another address meanwhile."""
    await connection.execute(
        "DELETE FROM push_subscriptions WHERE id = $1 AND endpoint_digest = $2", subscription_id, digest_of(endpoint)
    )


async def used(connection: Connection, subscription_id: int) -> None:
    await connection.execute(
        "UPDATE push_subscriptions SET last_used_at = now(), refusals = 0 WHERE id = $1", subscription_id
    )


async def refused(connection: Connection, subscription_id: int) -> None:
    """Count it; give the device up when that happens again and again."""
    # Two statements: one alone would not see what others count in the same moment, and none would be the last.
    await connection.execute("UPDATE push_subscriptions SET refusals = refusals + 1 WHERE id = $1", subscription_id)
    await connection.execute(
        "DELETE FROM push_subscriptions WHERE id = $1 AND refusals >= $2", subscription_id, REFUSALS
    )


async def tidy(connection: Connection) -> None:
    await connection.execute(
        """
        DELETE FROM push_subscriptions p USING sessions s WHERE s.id = p.session_id AND s.ended_at IS NOT NULL
        """
    )
