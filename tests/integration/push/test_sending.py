"""Pushes reach those who are to be told, say what they may, and nobody else hears of anything."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from fechatter.config.tree import Push
from fechatter.domain.people import WorkspaceRole
from fechatter.push import transport
from fechatter.push.transport import CONNECTIONS
from fechatter.push.worker import run
from tests.clients.api import Person
from tests.integration.push.conftest import Pushing
from tests.support.push_service import Device, PushService
from tests.support.waiting import eventually

NEVER_S = 3_600.0
AT_WORK = "SELECT true FROM log_consumers WHERE name = 'push'"
HOW = ["removed", "suspended in the workspace", "suspended everywhere", "signed out", "away for so long"]


async def test_a_direct_message_reaches_the_devices_of_the_other_encrypted_and_signed(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada Lovelace", "Grace Hopper")
    own, _ = await pushing.device_of(ada)
    phone, _ = await pushing.device_of(grace)
    laptop, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    message = await ada.post(chat, "Lunch at **noon**? 中午见")
    await pushing.work(message)
    for device in (phone, laptop):
        [told] = device.heard
        assert told["title"] == "Ada Lovelace"
        assert told["body"] == "Lunch at noon? 中午见"
        assert (told["chat_id"], told["message_id"], told["seq"]) == (chat.id, message.id, 1)
        [headers] = device.headers
        assert (headers["Urgency"], headers["Topic"]) == ("high", f"chat-{chat.id}")
        assert 0 < int(headers["TTL"]) <= 24 * 3600
    assert own.heard == []
    assert await pushing.waiting() == 0


async def test_of_a_channel_one_is_told_mentions_unless_one_chose_otherwise(pushing: Pushing) -> None:
    ada, grace, alan, lin = await pushing.world.people("Ada", "Grace", "Alan", "Lin")
    chat = await ada.create_chat("PublicChannel", others=[grace, alan, lin])
    devices = {person.id: (await pushing.device_of(person))[0] for person in (grace, alan, lin)}
    await _choose(alan, chat.id, "all")
    await _choose(lin, chat.id, "nothing")
    plain = await ada.post(chat, "hello all")
    named = await ada.post(chat, f"hello @{grace.user.username} and @{lin.user.username}")
    await pushing.work(plain, named)
    assert [told["message_id"] for told in devices[grace.id].heard] == [named.id]
    assert sorted(told["message_id"] for told in devices[alan.id].heard) == [plain.id, named.id]
    assert devices[lin.id].heard == []


async def test_what_was_read_deleted_or_muted_meanwhile_is_not_told(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    read = await ada.post(chat, "seen on a screen")
    await grace.ask("POST", f"/api/chats/{chat.id}/read", {"seq": read.seq})
    deleted = await ada.post(chat, "said by mistake")
    await ada.ask("DELETE", f"/api/chats/{chat.id}/messages/{deleted.id}")
    await pushing.work(read, deleted)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await _choose(grace, chat.id, "all", tomorrow)
    await pushing.work(await ada.post(chat, "while muted"))
    await _choose(grace, chat.id, "all", datetime.now(UTC) - timedelta(seconds=1))
    heard = await ada.post(chat, "after it")
    await pushing.work(heard)
    assert [told["message_id"] for told in device.heard] == [heard.id]


@pytest.mark.parametrize("how", HOW)
async def test_who_lost_access_after_the_message_was_planned_gets_nothing(pushing: Pushing, how: str) -> None:
    world = pushing.world
    owner = await world.person("Owner", WorkspaceRole.OWNER)
    grace, alan = await world.people("Grace", "Alan")
    device, _ = await pushing.device_of(grace)
    chat = await owner.create_chat("Group", others=[grace, alan])
    message = await owner.post(chat, "a secret")
    pushing.service.answers = [503]
    await pushing.work(message)
    assert await pushing.waiting() == 1
    match how:
        case "removed":
            await owner.ask("DELETE", f"/api/chats/{chat.id}/members/{grace.id}")
        case "suspended in the workspace":
            path = f"/api/workspaces/{world.workspace_id}/members/{grace.id}"
            (await owner.ask("PATCH", path, {"status": "Suspended"})).json(dict[str, object])
        case "suspended everywhere":
            await world.db.fetch("UPDATE users SET status = 'Suspended' WHERE id = $1", grace.id)
        case "signed out":
            await world.sign_out(grace)
        case _:
            await world.db.fetch(
                "UPDATE refresh_tokens SET expires_at = now() "
                "WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)",
                grace.id,
            )
    await pushing.hurry()
    await pushing.send()
    assert device.heard == []
    assert await pushing.waiting() == 0


async def test_quiet_hours_mentions_only_and_hidden_content_are_kept_to(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    await _set(grace, mentions_only=True, hide_content=True)
    await pushing.work(await ada.post(chat, "nobody named"))
    assert device.heard == []
    await pushing.work(await ada.post(chat, f"@{grace.user.username} the code is 1234"))
    [told] = device.heard
    assert (told["title"], "body" in told, "1234" in str(told)) == ("Ada", False, False)
    now = datetime.now(UTC)
    hours = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    await _set(grace, quiet_hours=hours | {"timezone": "UTC"})
    await pushing.work(await ada.post(chat, "at night"))
    await _set(grace, quiet_hours=hours | {"timezone": "Asia/Tokyo"})
    await pushing.work(await ada.post(chat, "by day in Tokyo"))
    assert [told.get("body") for told in device.heard[1:]] == ["by day in Tokyo"]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_device_that_is_gone_is_forgotten(pushing: Pushing, status: int) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    pushing.service.answers = [status]
    await pushing.work(await ada.post(chat, "into the void"))
    assert (await grace.ask("GET", "/api/push/subscriptions")).list_of(dict[str, object]) == []
    assert await pushing.waiting() == 0


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_push_service_that_is_busy_is_tried_again_after_the_time_it_asks_for(
    pushing: Pushing, status: int
) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    pushing.service.answers, pushing.service.retry_after = [status], "120"
    await pushing.work(await ada.post(chat, "worth waiting for"))
    wait_s = "SELECT extract(epoch FROM due_at - now())::float8 FROM push_deliveries"
    assert 100 < await pushing.world.db.fetch_value(wait_s) <= 121
    await pushing.send()
    assert pushing.service.asked == 1
    await pushing.hurry()
    await pushing.send()
    assert [told["body"] for told in device.heard] == ["worth waiting for"]


async def test_a_device_that_does_not_answer_is_tried_once_for_all_that_waits_for_it(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    first, *others = [await ada.post(chat, f"message {number}") for number in range(4)]
    await pushing.plan(first, *others)
    soon = "UPDATE push_deliveries SET due_at = now() + interval '30 seconds' WHERE message_id > $1"
    await pushing.world.db.fetch(soon, first.id)
    pushing.service.answers, pushing.service.retry_after = [503], "120"
    await pushing.send()
    assert pushing.service.asked == 1
    nearest_s = "SELECT min(extract(epoch FROM due_at - now()))::float8 FROM push_deliveries"
    assert await pushing.world.db.fetch_value(nearest_s) > 60
    assert await pushing.waiting() == 4


async def test_a_slow_push_service_holds_up_the_pushes_of_no_other(
    pushing: Pushing, slow: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which has more to be told than there are connections for all, and was to be told before."""
    monkeypatch.setattr(transport, "TIMEOUT_S", NEVER_S)
    ada, grace, *others = await pushing.world.people("Ada", "Grace", "Alan", "Lin", "Kurt", "Emmy", "Rosa", "Max")
    phone, phone_id = await pushing.device_of(grace)
    slow_ones = [(await pushing.device_of(person, slow))[0] for person in others for _ in range(20)]
    assert len(slow_ones) > CONNECTIONS
    chat = await ada.create_chat("Group", others=[grace, *others])
    await pushing.plan(await ada.post(chat, "to all"))
    before = "UPDATE push_deliveries SET due_at = now() - interval '1 minute' WHERE subscription_id <> $1"
    await pushing.world.db.fetch(before, phone_id)
    slow.awake.clear()
    sending = asyncio.create_task(pushing.send())
    await eventually(lambda: _count(phone, 1), "the other device is told")
    assert not any(device.heard for device in slow_ones)
    slow.awake.set()
    await sending
    assert {len(device.heard) for device in [phone, *slow_ones]} == {1}


async def test_nor_does_one_person_with_devices_at_many_slow_services(
    pushing: Pushing, five: list[PushService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT_S", NEVER_S)
    ada, grace, mallory = await pushing.world.people("Ada", "Grace", "Mallory")
    phone, phone_id = await pushing.device_of(grace)
    slow_ones = [(await pushing.device_of(mallory, one))[0] for one in five for _ in range(4)]
    chat = await ada.create_chat("Group", others=[grace, mallory])
    for number in range(6):
        await pushing.plan(await ada.post(chat, f"news {number}"))
    before = "UPDATE push_deliveries SET due_at = now() - interval '1 minute' WHERE subscription_id <> $1"
    await pushing.world.db.fetch(before, phone_id)
    for one in five:
        one.awake.clear()
    sending = asyncio.create_task(pushing.send())
    try:
        await eventually(lambda: _count(phone, 6), "the other device is told")
        assert not any(device.heard for device in slow_ones)
    finally:
        for one in five:
            one.awake.set()
    await sending


async def test_keys_that_cannot_be_used_after_all_stop_nobody_elses_pushes(pushing: Pushing) -> None:
    ada, grace, alan = await pushing.world.people("Ada", "Grace", "Alan")
    broken, broken_id = await pushing.device_of(grace)
    whole, _ = await pushing.device_of(alan)
    await pushing.world.db.fetch("UPDATE push_subscriptions SET auth = auth || '!!!' WHERE id = $1", broken_id)
    chat = await ada.create_chat("Group", others=[grace, alan])
    await pushing.work(await ada.post(chat, "to both"))
    assert ([told["body"] for told in whole.heard], broken.heard) == (["to both"], [])
    assert await pushing.waiting() == 0


async def test_an_address_that_refuses_again_and_again_is_given_up(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    pushing.service.answers = [403] * 5
    await pushing.work(*[await ada.post(chat, f"try {number}") for number in range(5)])
    assert await pushing.world.db.fetch_value("SELECT count(*) FROM push_subscriptions") == 0


async def test_the_longest_message_fits(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("木" * 64, "Grace")
    device, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("PrivateChannel", "森" * 128, [grace])
    await pushing.work(await ada.post(chat, f"@{grace.user.username} " + "\U0001f332" * 16_000))
    [told] = device.heard
    assert told["body"].endswith("…")


async def test_an_event_that_comes_again_while_its_push_waits_is_one_push(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, _ = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    message = await ada.post(chat, "once")
    await pushing.plan(message)
    await pushing.plan(message, message)
    await pushing.send()
    assert len(device.heard) == 1


async def test_a_worker_follows_the_log_and_sends(pushing: Pushing) -> None:
    """The parts together, as `fechatter worker` runs them."""
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, device_id = await pushing.device_of(grace)
    chat = await ada.create_chat("Single", others=[grace])
    settings = replace(pushing.world.settings, push=Push(allowed_origins=(pushing.service.origin,), delay_s=0))
    working = asyncio.create_task(run(settings, pushing.world.db))
    try:
        await eventually(lambda: pushing.world.db.fetch_value(AT_WORK), "the consumer is at work")
        await ada.post(chat, "through the log")
        await eventually(lambda: _count(device, 1), "the push is there")
        (await grace.ask("POST", f"/api/push/subscriptions/{device_id}/test")).nothing()
        await eventually(lambda: _count(device, 2), "the test is there")
    finally:
        working.cancel()
        await asyncio.wait([working])
    assert [told["kind"] for told in device.heard] == ["message", "test"]


async def _count(device: Device, count: int) -> bool:
    return len(device.heard) == count


async def _choose(person: Person, chat_id: int, level: str, muted_until: datetime | None = None) -> None:
    body = {"level": level, "muted_until": muted_until}
    assert (await person.ask("PUT", f"/api/chats/{chat_id}/notifications", body)).status == 200


async def _set(person: Person, **chosen: object) -> None:
    assert (await person.ask("PUT", "/api/push/settings", chosen)).status == 200
