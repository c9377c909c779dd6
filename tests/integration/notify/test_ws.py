"""The WebSocket: the same events, signing in by a first frame, resume at any time, and the close codes."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fechatter.store.people import sessions
from tests.integration.notify.town import Person, Town

Event = dict[str, Any]


def dial(town: Town, person: Person | None = None, query: str = "", **headers: str) -> connect:
    sent: Mapping[str, str] = {"Authorization": f"Bearer {person.token}", **headers} if person else headers
    return connect(f"ws://127.0.0.1:{town.server.port}/ws{query}", additional_headers=sent, compression=None)


async def receive(ws: ClientConnection, type_: str) -> Event:
    """The next event of this type; heartbeats and others before it are passed over."""
    while True:
        event = msgspec.json.decode(await ws.recv(), type=Event)
        if event["type"] == type_:
            return event


async def say(ws: ClientConnection, **frame: object) -> None:
    await ws.send(msgspec.json.encode(frame).decode())


async def code_of_closing(ws: ClientConnection) -> int:
    """The close code, after a goodbye that says the same."""
    goodbye = await receive(ws, "goodbye")
    with pytest.raises(ConnectionClosed) as closed:
        await ws.recv()
    assert closed.value.rcvd is not None
    assert goodbye["payload"]["code"] == closed.value.rcvd.code
    return closed.value.rcvd.code


async def test_events_come_as_texts_with_their_cursor(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with dial(town, bob) as ws:
        hello = await receive(ws, "hello")
        assert hello["cursor"] == hello["payload"]["cursor"]
        for content in ("a", "x" * 300, "汉" * 16_000, "😀" * 16_384):
            await town.post(ada, chat, content)
            event = await receive(ws, "message.created")
            assert event["payload"]["content"] == content
            assert event["cursor"]


async def test_the_first_frame_may_sign_in_and_resume(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with dial(town, bob) as ws:
        cursor = (await receive(ws, "hello"))["cursor"]
    await town.post(ada, chat, "missed")
    async with dial(town) as ws:
        await say(ws, type="auth", token=bob.token, cursor=cursor)
        assert (await receive(ws, "hello"))["cursor"] == cursor
        assert (await receive(ws, "message.created"))["payload"]["content"] == "missed"


async def test_a_resume_frame_is_answered_by_a_new_hello_and_the_replay(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with dial(town, bob) as ws:
        cursor = (await receive(ws, "hello"))["cursor"]
        for number in range(3):
            await town.post(ada, chat, f"{number}")
            await receive(ws, "message.created")
        await say(ws, type="resume", cursor=cursor)
        assert (await receive(ws, "hello"))["cursor"] == cursor
        again = [(await receive(ws, "message.created"))["payload"]["content"] for _ in range(3)]
        assert again == ["0", "1", "2"]
        await say(ws, type="resume", cursor="garbage")
        await receive(ws, "hello")
        await receive(ws, "resync_required")
        await town.post(ada, chat, "live")
        assert (await receive(ws, "message.created"))["payload"]["content"] == "live"


@pytest.mark.parametrize(
    "frame",
    ["no json", "{}", '{"type":"resume"}', '{"type":"resume","cursor":5}', '{"type":"x"}', b"\x00", "x" * 70_000],
)
async def test_a_bad_frame_is_4409(town: Town, frame: str | bytes) -> None:
    ada = await town.person()
    async with dial(town, ada) as ws:
        await receive(ws, "hello")
        await ws.send(frame)
        assert await code_of_closing(ws) == 4409
    async with dial(town) as ws:
        await ws.send(frame)
        assert await code_of_closing(ws) == 4409


async def test_fragments_make_one_message_and_pings_are_answered(town: Town) -> None:
    ada = await town.person()
    async with dial(town) as ws:
        await ws.send(['{"type":"auth","tok', f'en":"{ada.token}"}}'])
        await receive(ws, "hello")
        await (await ws.ping())


async def test_wrong_credentials_are_401_before_and_4401_after_the_handshake(town: Town) -> None:
    ada = await town.person()
    wrong = Person(ada.caller, "wrong")
    with pytest.raises(InvalidStatus) as refused:
        await dial(town, wrong)
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        await dial(town, query=f"?token={ada.token}")
    assert refused.value.response.status_code == 401
    async with dial(town) as ws:
        await say(ws, type="auth", token="wrong")
        assert await code_of_closing(ws) == 4401


async def test_who_does_not_sign_in_is_4408(town: Town) -> None:
    async with dial(town) as ws:
        assert await code_of_closing(ws) == 4408


async def test_a_session_that_ends_closes_with_4403(town: Town) -> None:
    ada = await town.person()
    async with dial(town, ada) as ws:
        await receive(ws, "hello")
        async with town.database.transaction() as tx:
            await sessions.end(tx, ada.caller.session_id)
        assert await code_of_closing(ws) == 4403


async def test_the_51st_websocket_of_a_user_is_4429(town: Town) -> None:
    ada = await town.person()
    open_ones = [await dial(town, ada) for _ in range(50)]
    with pytest.raises(InvalidStatus) as refused:
        await dial(town, ada)
    assert refused.value.response.status_code == 429
    async with dial(town) as ws:
        await say(ws, type="auth", token=ada.token)
        assert await code_of_closing(ws) == 4429
    for ws in open_ones:
        await ws.close()


async def test_pages_of_other_origins_may_not_connect(town: Town) -> None:
    ada = await town.person()
    with pytest.raises(InvalidStatus) as refused:
        await dial(town, ada, Origin="http://evil.example")
    assert refused.value.response.status_code == 403


async def test_a_drained_server_closes_with_4000(town: Town) -> None:
    ada = await town.person()
    async with dial(town, ada) as ws:
        await receive(ws, "hello")
        town.server.tell_to_stop()
        assert await code_of_closing(ws) == 4000
