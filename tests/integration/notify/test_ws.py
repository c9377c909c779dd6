"""The WebSocket: the same events, signing in by a first frame, resume at any time, and the close codes."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from fechatter.notify import caretaker, edge_ws
from fechatter.store.people import sessions
from tests.integration.notify import raw
from tests.integration.notify.town import Person, Town

Event = dict[str, Any]
HANDSHAKE = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")


def dial(town: Town, person: Person | None = None, query: str = "", **headers: str) -> connect:
    sent: Mapping[str, str] = {"Authorization": f"Bearer {person.token}", **headers} if person else headers
    url = f"ws://127.0.0.1:{town.server.port}/ws{query}"
    return connect(url, additional_headers=sent, compression=None, open_timeout=raw.PATIENCE_S)


def masked(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=True)


async def receive(ws: ClientConnection, type_: str) -> Event:
    """The next event of this type; heartbeats and others before it are passed over."""
    while True:
        event = msgspec.json.decode(await ws.recv(), type=Event)
        if event["type"] == type_:
            return event


async def say(ws: ClientConnection, **frame: object) -> None:
    await ws.send(msgspec.json.encode(frame).decode())


async def end_of(ws: ClientConnection) -> tuple[int, str]:
    """The close code and the reason, after a goodbye that says the same."""
    goodbye = await receive(ws, "goodbye")
    with pytest.raises(ConnectionClosed) as closed:
        await ws.recv()
    assert closed.value.rcvd is not None
    end = closed.value.rcvd.code, closed.value.rcvd.reason
    assert (goodbye["payload"]["code"], goodbye["payload"]["reason"]) == end
    return end


async def code_of_closing(ws: ClientConnection) -> int:
    return (await end_of(ws))[0]


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


async def test_who_signs_in_by_frame_may_resume_by_the_address_and_the_frames_cursor_wins(town: Town) -> None:
    ada, bob = await town.people(2)
    chat = await town.chat(ada, bob)
    async with dial(town, bob) as ws:
        old = (await receive(ws, "hello"))["cursor"]
        await town.post(ada, chat, "heard")
        newer = (await receive(ws, "message.created"))["cursor"]
    await town.post(ada, chat, "missed")
    for in_frame, resumed in (({}, old), ({"cursor": None}, old), ({"cursor": newer}, newer)):
        async with dial(town, query=f"?cursor={old}") as ws:
            await say(ws, type="auth", token=bob.token, **in_frame)
            assert (await receive(ws, "hello"))["cursor"] == resumed
            if resumed == old:
                assert (await receive(ws, "message.created"))["payload"]["content"] == "heard"
            while (await receive(ws, "message.created"))["payload"]["content"] != "missed":
                pass
    async with dial(town, query="?cursor=garbage") as ws:
        await say(ws, type="auth", token=bob.token)
        await receive(ws, "resync_required")


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


@pytest.mark.parametrize(
    ("greeted", "frame", "code"),
    [
        (False, '{"type":"auth","token":"wrong"}', 4401),
        (False, "no json", 4409),
        (False, "x" * 70_000, 4409),
        (True, '{"type":"auth","token":"wrong"}', 4401),
        (True, "no json", 4409),
        (True, "x" * 70_000, 4409),
    ],
    ids=["door-token", "door-text", "door-size", "stream-token", "stream-text", "stream-size"],
)
async def test_once_both_have_said_close_the_server_ends_the_connection(
    town: Town, monkeypatch: pytest.MonkeyPatch, greeted: bool, frame: str, code: int
) -> None:
    """RFC 6455, 5.5.1: at once, and not only when it would cut a client that answers nothing."""
    monkeypatch.setattr(edge_ws, "LINGER_S", 3_600.0)
    monkeypatch.setattr(caretaker, "GRACE_S", 3_600.0)
    ada = await town.person()
    ws = await dial(town, ada if greeted else None)
    ws.close_timeout = None  # it does not close by itself
    async with asyncio.timeout(raw.PATIENCE_S):
        await ws.send(frame)
        assert await code_of_closing(ws) == code
        await ws.wait_closed()


@pytest.mark.usefixtures("ungraced")
async def test_frames_that_come_with_the_auth_frame_end_the_stream_as_later_ones_do(town: Town) -> None:
    """They are read by the door, but the stream is open already: it must know that it has ended."""
    ada = await town.person()
    head = "\r\n".join(["GET /ws HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", *HANDSHAKE, "", ""])
    frames = [{"type": "auth", "token": ada.token}, *[{"type": "resume", "cursor": "0.0"}] * 11]
    async with raw.dial(town.server.port) as wire:
        await wire.send(head.encode() + b"".join(masked(Opcode.TEXT, msgspec.json.encode(frame)) for frame in frames))
        await wire.until(b'"type":"goodbye"')
        await raw.metric(town.server.port, b'fechatter_notify_closed_total{code="4409"} 1.0')
        await wire.send(masked(Opcode.CLOSE, b""))
        assert b'"type"' not in await wire.rest(), "after the goodbye comes nothing but the close frame"


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([b"\x00"], "binary"),
        (["x" * 70_000], "64 KiB"),
        (["{}"], "not one that this server takes"),
        (['{"type":"resume","cursor":"0.0"}'] * 11, "resume frames"),
    ],
    ids=["binary", "size", "text", "resumes"],
)
async def test_a_bad_frame_is_told_what_is_bad_about_it(town: Town, frames: list[str | bytes], reason: str) -> None:
    async with dial(town, await town.person()) as ws:
        for frame in frames:
            await ws.send(frame)
        assert reason in (await end_of(ws))[1]


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
