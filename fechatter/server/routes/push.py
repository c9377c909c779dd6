"""/api/push/… and /api/chats/{id}/notifications: on which devices one is told, of what."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import delete, get, post, put

from fechatter.actions.chats.refusal import why_refused
from fechatter.domain.errors import InvalidRequest, NotFound
from fechatter.domain.people import Caller
from fechatter.domain.push import (
    ChatNotifications,
    NotifyLevel,
    PushSettings,
    PushSubscription,
    check_endpoint,
    check_keys,
)
from fechatter.domain.vapid import Vapid, new_private_key
from fechatter.server.auth import ApiRequest, device_of
from fechatter.server.context import Context
from fechatter.server.lists import Id
from fechatter.server.routes.users import check_timezone
from fechatter.store.chats import chats
from fechatter.store.database import Connection
from fechatter.store.push import deliveries, settings, subscriptions
from fechatter.store.push.subscriptions import Device

TEST_TTL = timedelta(minutes=5)
LONGEST = timedelta(days=366)


class PushKey(msgspec.Struct, frozen=True):
    """The applicationServerKey that browsers subscribe with."""

    public_key: str


class PushKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As PushSubscription.toJSON() gives them, base64url."""

    p256dh: Annotated[str, msgspec.Meta(max_length=128)]
    auth: Annotated[str, msgspec.Meta(max_length=64)]


class NewPushSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As PushSubscription.toJSON() gives it; `expirationTime` is not used."""

    endpoint: str
    keys: PushKeys
    expirationTime: float | None = None  # noqa: N815 - the browser's name


class ChatNotificationsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`muted_until` null: not muted."""

    level: NotifyLevel
    muted_until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@get("/push/key", summary="The key that browsers subscribe with", tags=["push"])
async def push_key(context: Context, caller: Caller) -> PushKey:
    """The same for good, on all servers."""
    del caller
    chosen = context.settings.push
    async with context.db.connection() as connection:
        key = chosen.private_key or await subscriptions.private_key(connection, new_private_key())
    return PushKey(Vapid(key, chosen.contact).public_key)


@get("/push/subscriptions", summary="My devices that get pushes", tags=["push"])
async def list_push_subscriptions(context: Context, caller: Caller) -> list[PushSubscription]:
    """Signing out ends the device's."""
    async with context.db.connection() as connection:
        return list(await subscriptions.list_(connection, caller))


@post("/push/subscriptions", status_code=201, summary="Send pushes to this device", tags=["push"])
async def subscribe(
    request: ApiRequest, context: Context, caller: Caller, data: NewPushSubscription
) -> PushSubscription:
    """Again with the same endpoint: the device is this session's from now on. Beyond 20 devices the oldest go."""
    chosen = context.settings.push
    endpoint = check_endpoint(data.endpoint, chosen.allowed_origins)
    check_keys(data.keys.p256dh, data.keys.auth)
    agent = device_of(request).user_agent
    device = Device(endpoint=endpoint, p256dh=data.keys.p256dh, auth=data.keys.auth, user_agent=agent)
    async with context.db.connection() as connection:
        return await subscriptions.save(connection, caller, device, chosen.subscriptions_per_user)


@delete("/push/subscriptions/{subscription_id:int}", summary="No more pushes to a device", tags=["push"])
async def unsubscribe(context: Context, caller: Caller, subscription_id: Id) -> None:
    async with context.db.connection() as connection:
        if not await subscriptions.remove(connection, caller, subscription_id):
            raise NotFound


@post("/push/subscriptions/{subscription_id:int}/test", status_code=204, summary="Send a test push", tags=["push"])
async def test_push(context: Context, caller: Caller, subscription_id: Id) -> None:
    """It goes the whole way, within seconds. 10 a minute."""
    await context.limits.test_push(caller.user_id)
    async with context.db.connection() as connection:
        if not await deliveries.plan_test(connection, caller, subscription_id, TEST_TTL):
            raise NotFound


@get("/push/settings", summary="What I am told of", tags=["push"])
async def get_push_settings(context: Context, caller: Caller) -> PushSettings:
    async with context.db.connection() as connection:
        return await settings.of_user(connection, caller.user_id)


@put("/push/settings", summary="Choose what I am told of", tags=["push"])
async def put_push_settings(context: Context, caller: Caller, data: PushSettings) -> PushSettings:
    """For all devices. A chat's own level wins over `mentions_only`; quiet hours win over all."""
    if data.quiet_hours is not None:
        check_timezone("quiet_hours.timezone", data.quiet_hours.timezone)
    async with context.db.connection() as connection:
        await settings.save_user(connection, caller.user_id, data)
    return data


@get("/chats/{chat_id:int}/notifications", summary="What I am told of a chat", tags=["push"])
async def get_chat_notifications(context: Context, caller: Caller, chat_id: Id) -> ChatNotifications:
    async with context.db.connection() as connection:
        await _require_member(connection, caller, chat_id)
        return await settings.of_chat(connection, caller.user_id, chat_id)


@put("/chats/{chat_id:int}/notifications", summary="Choose what I am told of a chat", tags=["push"])
async def put_chat_notifications(
    context: Context, caller: Caller, chat_id: Id, data: ChatNotificationsChange
) -> ChatNotifications:
    """`default`: all of a direct message or group, mentions in channels."""
    if data.muted_until is not None and data.muted_until - datetime.now(UTC) > LONGEST:
        raise InvalidRequest(fields={"muted_until": "must be within a year"})
    muted = data.muted_until and data.muted_until.astimezone(UTC)
    chosen = ChatNotifications(level=data.level, muted_until=muted)
    async with context.db.connection() as connection:
        await _require_member(connection, caller, chat_id)
        await settings.save_chat(connection, caller.user_id, chat_id, chosen)
    return chosen


async def _require_member(connection: Connection, caller: Caller, chat_id: int) -> None:
    place = await chats.standing(connection, caller, chat_id)
    if place is None or place.role is None:
        raise await why_refused(connection, caller, chat_id)


ROUTES = [
    push_key,
    list_push_subscriptions,
    subscribe,
    unsubscribe,
    test_push,
    get_push_settings,
    put_push_settings,
    get_chat_notifications,
    put_chat_notifications,
]
