"""A slow reader is closed with a code that says resume, holds a bounded buffer, and slows nobody."""

import asyncio
import re

import pytest

from tests.integration.notify.raw import Wire, dial, metric
from tests.integration.notify.town import Person, Town

LONG = "long " * 3_000


async def _open(wire: Wire, person: Person, cursor: str | None = None) -> bytes:
    resume = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
    await wire.send(f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n{resume}\r\n".encode())
    await wire.until(b"\r\n\r\n")
    return await wire.until(b"\n\n")


@pytest.mark.usefixtures("ungraced")
async def test_a_reader_that_stalls_is_sent_away_and_another_hears_everything(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    chat = await town.chat(ada, bob, eve)
    async with dial(town.server.port, receive_bytes=4_096) as slow, town.listen(bob) as healthy:
        await healthy.hello()
        hello = await _open(slow, eve)
        slow.stall()
        hearing = asyncio.create_task(healthy.message(f"99 {LONG}"))  # it reads all the while: that is what healthy is
        for number in range(100):
            await town.post(ada, chat, f"{number} {LONG}")
        await hearing
        await metric(town.server.port, b'fechatter_notify_closed_total{code="4001"} 1.0')
        slow.go_on()
        got = await slow.rest()
    assert b"event: goodbye" in got
    assert b'"code":4001' in got
    assert b'"reconnect":true' in got
    assert len(got) < 2 * 256 * 1024
    cursors = re.findall(rb"^id: (\S+)$", hello + got, re.MULTILINE)
    seen = {int(pos) for pos in re.findall(rb'"stream":"chat:\d+","pos":(\d+)', got)}
    async with town.listen(eve, cursor=cursors[-1].decode()) as resumed:
        await resumed.hello()
        await resumed.message(f"99 {LONG}")
        seen |= {event.envelope.pos for event in resumed.events if event.envelope.pos}
    assert seen == set(range(1, 101))


@pytest.mark.usefixtures("unhurried")
async def test_a_reader_that_pauses_shortly_catches_up_on_the_same_connection(town: Town) -> None:
    ada, eve = await town.people(2)
    chat = await town.chat(ada, eve)
    async with dial(town.server.port, receive_bytes=4_096) as wire:
        await _open(wire, eve)
        wire.stall()
        for number in range(60):
            await town.post(ada, chat, f"{number} {LONG}")
        await metric(town.server.port, b"fechatter_notify_fell_behind_total 1.0")
        wire.go_on()
        text = b""
        while b'"content":"59 ' not in text:
            text += await wire.until(b"\n\n")
    assert [int(pos) for pos in re.findall(rb'"stream":"chat:\d+","pos":(\d+)', text)] == list(range(1, 61))
    assert b"goodbye" not in text


@pytest.mark.usefixtures("unhurried")
async def test_a_replay_larger_than_the_buffer_goes_at_the_readers_pace(town: Town) -> None:
    ada, eve = await town.people(2)
    chat = await town.chat(ada, eve)
    async with town.listen(eve) as stream:
        cursor = (await stream.hello()).cursor
    for number in range(200):
        await town.post(ada, chat, f"{number} {LONG}")
    async with dial(town.server.port, receive_bytes=4_096) as wire:
        await _open(wire, eve, cursor)
        text = b""
        while b'"content":"199 ' not in text:
            text += await wire.until(b"\n\n")
    assert [int(pos) for pos in re.findall(rb'"stream":"chat:\d+","pos":(\d+)', text)] == list(range(1, 201))
