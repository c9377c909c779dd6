"""Several processes of each service on one machine, behind one port: together they are what one would be."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack

import pytest

from tests.clients.api import Api, Person
from tests.clients.sse import Disconnected, EventStream, Refused
from tests.flow.conftest import Crowd
from tests.support.stack import Stack
from tests.support.waiting import eventually, wait_until

STREAMS = 40
"""So many that three processes all have some: otherwise once in 3 million runs."""


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """Three notify servers and two API servers."""
    folder = tmp_path_factory.mktemp("several")
    folder.chmod(0o711)
    stack = Stack.start(
        folder,
        FECHATTER_NOTIFY__WORKERS="3",
        FECHATTER_SERVER__WORKERS="2",
        FECHATTER_LIMITS__STREAMS_PER_USER=str(STREAMS),
    )
    yield stack
    assert stack.stop() == 0


@pytest.fixture
async def town(several: Stack) -> AsyncGenerator[Crowd]:
    wait_until(lambda: len(several.pids("notify_server")) == 3, "three notify servers run")
    several.wait_ready()
    async with Api(several.api_url) as api:
        yield Crowd(several, api)


async def test_streams_on_all_processes_hear_what_is_posted_to_any(town: Crowd) -> None:
    ada = await town.sign_up()
    chat = await ada.create_chat("PrivateChannel", "all")
    async with AsyncExitStack() as open_streams:
        streams = [await open_streams.enter_async_context(town.listen(ada)) for _ in range(STREAMS)]
        await asyncio.gather(*(stream.hello() for stream in streams))
        assert len(await _processes_with_streams(town)) == 3
        for number in range(10):
            await ada.post(chat, f"number {number}")
        for stream in streams:
            for number in range(10):
                await stream.message(f"number {number}")


async def test_the_streams_of_a_user_are_counted_over_all_processes_and_after_one_was_killed(town: Crowd) -> None:
    ada = await town.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    async with AsyncExitStack() as open_streams:
        streams = [await open_streams.enter_async_context(town.listen(ada)) for _ in range(STREAMS)]
        await asyncio.gather(*(stream.hello() for stream in streams))
        await _assert_no_more(town, ada)

        before = set(town.stack.pids("notify_server"))
        victim = next(iter(before))
        os.kill(victim, signal.SIGKILL)
        await ada.post(chat, "after the kill")
        lost = sum(await asyncio.gather(*(_is_cut(stream, "after the kill") for stream in streams)))
        assert 0 < lost < STREAMS
        wait_until(lambda: len(set(town.stack.pids("notify_server")) - {victim}) == 3, "the third runs again")
        again = [await open_streams.enter_async_context(town.listen(ada)) for _ in range(lost)]
        await asyncio.gather(*(stream.hello() for stream in again))
        await _assert_no_more(town, ada)


async def test_who_is_removed_hears_nothing_more_on_any_process(town: Crowd) -> None:
    ada = await town.sign_up()
    (bob,) = await town.colleagues(ada, "Bob")
    chat = await ada.create_chat("PrivateChannel", "team", [bob])
    async with AsyncExitStack() as open_streams:
        streams = [await open_streams.enter_async_context(town.listen(bob)) for _ in range(STREAMS)]
        await asyncio.gather(*(stream.hello() for stream in streams))
        (await ada.ask("DELETE", f"/api/chats/{chat.id}/members/{bob.id}")).nothing()
        await ada.post(chat, "not for bob")
        for stream in streams:
            await stream.until(lambda event: event.kind == "member.removed", "the last word")
        (await bob.ask("POST", "/api/auth/signout")).nothing()
        for stream in streams:
            with pytest.raises(Disconnected):
                await stream.message("not for bob")
            assert stream.events[-1].kind == "goodbye"


async def test_a_process_is_drained_alone(town: Crowd) -> None:
    """A rolling restart: its streams are told to come back, the others go on, and the port never closes."""
    ada = await town.sign_up()
    chat = await ada.create_chat("PrivateChannel", "rolling")
    async with AsyncExitStack() as open_streams:
        streams = [await open_streams.enter_async_context(town.listen(ada)) for _ in range(STREAMS)]
        await asyncio.gather(*(stream.hello() for stream in streams))
        drained = town.stack.pids("notify_server")[0]
        os.kill(drained, signal.SIGTERM)
        wait_until(lambda: drained not in town.stack.pids("notify_server"), "it is drained")
        await ada.post(chat, "meanwhile")
        told = await asyncio.gather(*(_is_cut(stream, "meanwhile") for stream in streams))
        assert 0 < sum(told) < STREAMS
        for stream, gone in zip(streams, told, strict=True):
            if gone:
                assert stream.events[-1].kind == "goodbye"
                async with town.listen(ada, last_event_id=stream.cursor) as back:
                    await back.message("meanwhile")


async def _assert_no_more(town: Crowd, person: Person) -> None:
    for _ in range(5):
        with pytest.raises(Refused) as refused:
            async with town.listen(person):
                pass
        refused.value.answer.problem(429, "rate_limited")


async def _is_cut(stream: EventStream, message: str) -> bool:
    """Whether the stream ends instead of bringing the message."""
    try:
        await stream.message(message)
    except Disconnected:
        return True
    return False


async def _processes_with_streams(town: Crowd) -> set[str]:
    """As any of them says of all on /metrics, when all have published."""
    pattern = re.compile(r'^fechatter_notify_streams\{process="(\d)"\} ([\d.]+)$', re.MULTILINE)

    async def told() -> set[str] | None:
        async with Api(town.stack.notify_url) as notify:
            text = (await notify.ask("GET", "/metrics")).body.decode()
        counts = {number: float(count) for number, count in pattern.findall(text)}
        return set(counts) if sum(counts.values()) == STREAMS else None

    return await eventually(told, "all streams are shown")
