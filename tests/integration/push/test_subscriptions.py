"""Devices: whose they are, how many, and where a push may not go."""

import asyncio
import base64

import pytest
from msgspec.structs import replace

from fechatter.config import Settings
from fechatter.config.tree import Push
from fechatter.domain.push import is_public_address
from fechatter.domain.vapid import Vapid, new_private_key
from fechatter.store.push import subscriptions
from tests.clients.api import Person
from tests.integration.authorization.scene import PUSH_KEYS
from tests.integration.push.conftest import Pushing
from tests.support.push_service import Device
from tests.support.world import World

Listed = dict[str, object]


async def test_all_servers_sign_with_one_key_that_is_made_once(world: World) -> None:
    async def begin() -> str:
        async with world.db.connection() as connection:
            return await subscriptions.private_key(connection, new_private_key())

    keys = await asyncio.gather(*(begin() for _ in range(8)))
    assert len(set(keys)) == 1
    [ada] = await world.people("Ada")
    told = (await ada.ask("GET", "/api/push/key")).json(Listed)
    assert told["public_key"] == Vapid(keys[0], "").public_key
    assert len(base64.urlsafe_b64decode(f"{told['public_key']}=")) == 65


async def test_a_configured_key_wins_over_the_one_that_was_made(settings: Settings) -> None:
    key = new_private_key()
    async with World.open(replace(settings, push=Push(private_key=key))) as world:
        [ada] = await world.people("Ada")
        told = (await ada.ask("GET", "/api/push/key")).json(Listed)
        assert told["public_key"] == Vapid(key, "").public_key
        assert await world.db.fetch_value("SELECT count(*) FROM push_keys") == 0
    assert key not in repr(Push(private_key=key))


async def test_a_browser_belongs_to_whoever_is_signed_in_there_now(pushing: Pushing) -> None:
    ada, grace = await pushing.world.people("Ada", "Grace")
    device, _ = await pushing.device_of(ada)
    assert (await grace.ask("POST", "/api/push/subscriptions", device.form)).status == 201
    assert await _devices(ada) == []
    [told] = await _devices(grace)
    assert told["current"] is True


async def test_a_person_has_at_most_twenty_devices_and_the_oldest_go(pushing: Pushing) -> None:
    [ada] = await pushing.world.people("Ada")
    ids = [(await pushing.device_of(ada))[1] for _ in range(22)]
    assert [told["id"] for told in await _devices(ada)] == ids[:1:-1]


async def test_signing_out_ends_the_pushes_of_that_session_alone(pushing: Pushing) -> None:
    [ada] = await pushing.world.people("Ada")
    await pushing.device_of(ada)
    elsewhere = await pushing.world.sign_in(ada.id)
    _, kept = await pushing.device_of(elsewhere)
    (await ada.ask("POST", "/api/auth/signout")).nothing()
    assert [told["id"] for told in await _devices(elsewhere)] == [kept]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/1",
        "https://localhost/1",
        "https://intranet/1",
        "https://127.0.0.1/1",
        "https://10.0.0.8/1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/1",
        "https://[::ffff:10.0.0.8]/1",
        "https://[64:ff9b::7f00:1]/1",
        "https://[64:ff9b:1::7f00:1]/1",
        "https://[::127.0.0.1]/1",
        "https://[fec0::1]/1",
        "https://%31%32%37.0.0.1/1",
        "https://2130706433/1",
        "https://0x7f.1/1",
        "https://push.example.org:22/1",
        "https://user@push.example.org/1",
        "https://push.example.org\\@127.0.0.1/1",
        "https://printer.local/1",
        "ftp://push.example.org/1",
        "https://push.example.org/" + "a" * 2048,
        "//push.example.org/1",
        "",
    ],
)
async def test_addresses_that_lead_to_ourselves_are_refused(world: World, endpoint: str) -> None:
    [ada] = await world.people("Ada")
    form = Device(endpoint).form
    problem = (await ada.ask("POST", "/api/push/subscriptions", form)).problem(400, "invalid_request")
    assert problem.errors[0].field == "endpoint"


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"p256dh": "BP4z", "auth": "DGv6ra1nlYgDCS1FRnbzlw"}, "keys.p256dh"),
        ({"p256dh": base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).decode(), "auth": "x"}, "keys.p256dh"),
        (PUSH_KEYS | {"auth": "AAAA"}, "keys.auth"),
        (PUSH_KEYS | {"auth": PUSH_KEYS["auth"] + "!!!"}, "keys.auth"),
        (PUSH_KEYS | {"p256dh": "!!!!" + PUSH_KEYS["p256dh"]}, "keys.p256dh"),
        ({"p256dh": "é", "auth": "\N{SNOWMAN}"}, "keys.p256dh"),
    ],
)
async def test_keys_that_nothing_can_be_encrypted_with_are_refused(
    world: World, keys: dict[str, str], field: str
) -> None:
    [ada] = await world.people("Ada")
    form = {"endpoint": "https://push.example.org/1", "keys": keys}
    problem = (await ada.ask("POST", "/api/push/subscriptions", form)).problem(400, "invalid_request")
    assert problem.errors[0].field == field


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_let_through(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address", ["0.1.2.3", "100.64.0.1", "192.168.1.1", "224.0.0.1", "::", "fe80::1%eth0", "fc00::1", "2002:7f00:1::"]
)
def test_addresses_of_our_own_networks_are_not(address: str) -> None:
    assert not is_public_address(address)


async def test_choices_are_kept_and_wrong_ones_named(world: World) -> None:
    [ada] = await world.people("Ada")
    chosen = {"mentions_only": True, "hide_content": False}
    chosen |= {"quiet_hours": {"start": "22:00", "end": "07:30", "timezone": "Asia/Shanghai"}}
    assert (await ada.ask("PUT", "/api/push/settings", chosen)).json(Listed) == chosen
    assert (await ada.ask("GET", "/api/push/settings")).json(Listed) == chosen
    for hours in ({"start": "24:00"}, {"end": "7:30"}, {"timezone": "Moon/Sea"}):
        wrong = chosen | {"quiet_hours": {"start": "22:00", "end": "07:30", "timezone": "UTC"} | hours}
        (await ada.ask("PUT", "/api/push/settings", wrong)).problem(400, "invalid_request")


async def _devices(person: Person) -> list[Listed]:
    return (await person.ask("GET", "/api/push/subscriptions")).list_of(Listed)
