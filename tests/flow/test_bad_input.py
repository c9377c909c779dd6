"""Whatever comes in gets a clear answer: never a 5xx, and nothing is stored or lost by it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.api import PASSWORD, Api, Person, new_email
from tests.clients.shapes import Chat, Message
from tests.clients.sse import listen
from tests.flow.conftest import Crowd
from tests.support.stack import Stack

NOT_JSON = [b"", b"{", b"nonsense", b'{"content": "a"', b"\xff\xfe", b'"text"', b"[]", b"null", b"42", b"[" * 100_000]
WRONG_DRAFTS: list[tuple[dict[str, Any], str]] = [
    ({}, "content"),
    ({"content": 7}, "content"),
    ({"content": None}, "content"),
    ({"content": ["a"]}, "content"),
    ({"content": ""}, "content"),
    ({"content": "x" * 16_385}, "content"),
    ({"content": "NUL \x00 inside"}, "content"),
    ({"content": "a", "surprise": 1}, "surprise"),
    ({"content": "a", "files": "1"}, "files"),
    ({"content": "a", "files": [0]}, "files[0]"),
    ({"content": "a", "files": ["1"]}, "files[0]"),
    ({"content": "a", "files": list(range(1, 12))}, "files"),
    ({"content": "a", "reply_to": "7"}, "reply_to"),
    ({"content": "a", "reply_to": 7.0}, "reply_to"),
    ({"content": "a", "reply_to": True}, "reply_to"),
    ({"content": "a", "reply_to": 2**63}, "reply_to"),
    ({"content": "a", "reply_to": 1_000_000_000}, "reply_to"),
    ({"content": "a", "idempotency_key": ""}, "idempotency_key"),
    ({"content": "a", "idempotency_key": "x" * 65}, "idempotency_key"),
    ({"content": "a", "idempotency_key": "spaces are not"}, "idempotency_key"),
    ({"content": "a", "idempotency_key": 5}, "idempotency_key"),
]
WRONG_CHATS: list[tuple[dict[str, Any], str]] = [
    ({"name": "n", "type": "Club", "members": []}, "type"),
    ({"name": "", "type": "PublicChannel"}, "name"),
    ({"name": "x" * 129, "type": "PublicChannel"}, "name"),
    ({"name": "two\nlines", "type": "PublicChannel"}, "name"),
    ({"name": "n", "type": "Group", "members": []}, "members"),
    ({"name": "n", "type": "PublicChannel", "members": ["nobody"]}, "members[0]"),
    ({"name": "n", "type": "PublicChannel", "members": ["1"]}, "members[0]"),
    ({"name": "n", "type": "PublicChannel", "members": [1.0]}, "members[0]"),
    ({"name": "n", "type": "PublicChannel", "members": [987654321]}, "members"),
    ({"name": "n", "type": "PublicChannel", "members": list(range(1, 1_002))}, "members"),
    ({"name": "n", "type": "PublicChannel", "owner": 1}, "owner"),
]
WRONG_SIGNUPS: list[tuple[dict[str, Any], str]] = [
    ({"fullname": ""}, "fullname"),
    ({"fullname": "x" * 65}, "fullname"),
    ({"fullname": "a\x00b"}, "fullname"),
    ({"fullname": "\u200b"}, "fullname"),
    ({"fullname": "\u202eevil"}, "fullname"),
    ({"workspace": "\u3164"}, "workspace"),
    ({"email": "a\u200bda@example.org"}, "email"),
    ({"email": "no address"}, "email"),
    ({"email": "x" * 250 + "@example.org"}, "email"),
    ({"password": "short"}, "password"),
    ({"password": "x" * 1_025}, "password"),
    ({"admin": True}, "admin"),
]
WRONG_QUERIES = [
    "limit=0",
    "limit=101",
    "limit=ten",
    "before_id=0",
    "before_id=-1",
    "before_id=1e9",
    f"after_id={2**63}",
]


@pytest.fixture(scope="module")
async def ada(shared_stack: Stack) -> AsyncGenerator[Person]:
    """One who is allowed everything: what is refused is refused for what it is."""
    async with Api(shared_stack.api_url) as api:
        yield await api.sign_up("Ada Lovelace")


@pytest.fixture
async def chat(ada: Person) -> Chat:
    """A chat of the test's own."""
    return await ada.create_chat("PrivateChannel")


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
async def test_what_is_not_a_json_object_is_refused(ada: Person, chat: Chat, body: bytes) -> None:
    for path in (f"/api/chats/{chat.id}/messages", "/api/chats", "/api/auth/signup"):
        (await ada.ask("POST", path, content=body)).problem(400, "invalid_request")
    assert await ada.history(chat) == []


@pytest.mark.parametrize(("draft", "field"), WRONG_DRAFTS, ids=lambda value: str(value)[:40])
async def test_a_wrong_draft_is_refused_by_the_name_of_its_field(
    ada: Person, chat: Chat, draft: dict[str, Any], field: str
) -> None:
    problem = (await ada.ask("POST", f"/api/chats/{chat.id}/messages", draft)).problem(400, "invalid_request")
    assert [error.field for error in problem.errors] == [field]
    assert await ada.history(chat) == []


@pytest.mark.parametrize("text", [rb"\ud800", rb"\udc00\ud800", rb"before \udfff after"])
async def test_half_a_character_is_refused(ada: Person, chat: Chat, text: bytes) -> None:
    """JSON can say a lone surrogate; UTF-8, PostgreSQL and every reader cannot."""
    body = b'{"content": "%s"}' % text
    (await ada.ask("POST", f"/api/chats/{chat.id}/messages", content=body)).problem(400, "invalid_request")
    body = b'{"name": "%s", "type": "PublicChannel"}' % text
    (await ada.ask("POST", "/api/chats", content=body)).problem(400, "invalid_request")


@pytest.mark.parametrize(("form", "field"), WRONG_CHATS, ids=lambda value: str(value)[:40])
async def test_a_wrong_chat_is_refused_by_the_name_of_its_field(ada: Person, form: dict[str, Any], field: str) -> None:
    before = await ada.chats()
    problem = (await ada.ask("POST", "/api/chats", form)).problem(400, "invalid_request")
    assert [error.field for error in problem.errors] == [field]
    assert await ada.chats() == before


@pytest.mark.parametrize("seq", ["1", 1.0, True, None, [1], -1, 2**63], ids=repr)
async def test_a_wrong_read_position_is_refused_by_the_name_of_its_field(ada: Person, chat: Chat, seq: object) -> None:
    problem = (await ada.ask("POST", f"/api/chats/{chat.id}/read", {"seq": seq})).problem(400, "invalid_request")
    assert [error.field for error in problem.errors] == ["seq"]


@pytest.mark.parametrize(("change", "field"), WRONG_SIGNUPS, ids=lambda value: str(value)[:40])
async def test_a_wrong_sign_up_is_refused_by_the_name_of_its_field(
    crowd: Crowd, change: dict[str, Any], field: str
) -> None:
    form = {"fullname": "Ada", "email": new_email(), "password": PASSWORD} | change
    problem = (await crowd.api.ask("POST", "/api/auth/signup", json=form)).problem(400, "invalid_request")
    assert [error.field for error in problem.errors] == [field]


@pytest.mark.parametrize("query", WRONG_QUERIES)
async def test_a_wrong_page_is_refused(ada: Person, chat: Chat, query: str) -> None:
    (await ada.ask("GET", f"/api/chats/{chat.id}/messages?{query}")).problem(400, "invalid_request")


@pytest.mark.parametrize("chat_id", ["0", "-1", "987654321", str(2**63 - 1), str(2**63), "9" * 40, "1e3", "abc", "%00"])
async def test_an_id_of_no_chat_is_not_found(ada: Person, chat_id: str) -> None:
    (await ada.ask("GET", f"/api/chats/{chat_id}/messages")).problem(404, "not_found")
    (await ada.ask("POST", f"/api/chats/{chat_id}/messages", {"content": "hi"})).problem(404, "not_found")


async def test_a_body_beyond_a_mebibyte_is_refused(ada: Person, chat: Chat) -> None:
    body = b'{"content": "%s"}' % (b"x" * (1024 * 1024))
    (await ada.ask("POST", f"/api/chats/{chat.id}/messages", content=body)).problem(413, "too_large")


@pytest.mark.parametrize(
    "content",
    [
        "x" * 9_000,
        "话" * 2_700,
        "x" * 16_384,
        "🙂" * 16_384,
        "\\\"'<script>\u2028 \r\n\t{}%s$1",
        "data: x\n\nevent: goodbye\ndata: {}\n\n",
        " ",
        "e\u0301 \u202e \ufeff",
    ],
    ids=["ascii", "chinese", "longest", "longest in bytes", "syntax", "a frame", "blank", "marks"],
)
async def test_whatever_is_accepted_is_delivered_live_and_on_replay(
    crowd: Crowd, ada: Person, chat: Chat, content: str
) -> None:
    """A notification may carry 8,000 bytes: a design that puts the message into it breaks here, on the insert."""
    async with crowd.listen(ada) as stream:
        cursor = (await stream.hello()).cursor
        posted = await ada.post(chat, content)
        assert (await stream.message(content)).payload(Message) == posted
    async with crowd.listen(ada, cursor=cursor) as stream:
        await stream.hello()
        assert (await stream.message(content)).payload(Message).content == content
    assert (await ada.history(chat))[0].content == content


async def test_retries_at_the_same_instant_make_one_message_and_one_event(
    crowd: Crowd, ada: Person, chat: Chat
) -> None:
    async with crowd.listen(ada) as stream:
        await stream.hello()
        for number in range(20):
            draft = {"content": f"once {number}", "idempotency_key": f"k{number}"}
            answers = await asyncio.gather(
                *(ada.ask("POST", f"/api/chats/{chat.id}/messages", draft) for _ in range(2 + number % 4))
            )
            assert sorted(answer.status for answer in answers) == [200] * (len(answers) - 1) + [201]
            assert len({answer.json(Message, answer.status).id for answer in answers}) == 1
        await ada.post(chat, "the end")
        await stream.message("the end")
    assert [event.payload(Message).seq for event in stream.events if event.kind == "message.created"] == list(
        range(1, 22)
    )
    assert len(await ada.history(chat)) == 21


async def test_a_key_that_was_used_for_something_else_is_a_conflict(ada: Person, chat: Chat) -> None:
    other = await ada.create_chat("PrivateChannel")
    first = await ada.post(chat, "first", idempotency_key="k")
    (await ada.say(chat, "second", idempotency_key="k")).problem(409, "idempotency_conflict")
    (await ada.say(other, "first", idempotency_key="k")).problem(409, "idempotency_conflict")
    assert (await ada.say(chat, "first", idempotency_key="k")).json(Message, 200) == first
    assert await ada.history(other) == []


async def test_the_same_key_of_somebody_else_is_their_own(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("Group", others=[bob, eve])
    posted = [await person.post(chat, "mine", idempotency_key="k") for person in (ada, bob, eve)]
    assert [message.seq for message in posted] == [1, 2, 3]


async def test_an_address_that_is_taken_says_so_also_in_other_letters(crowd: Crowd, ada: Person) -> None:
    form = {"fullname": "Other", "email": ada.user.email.upper(), "password": PASSWORD}
    (await crowd.api.ask("POST", "/api/auth/signup", json=form)).problem(409, "email_taken")


async def test_signing_in_tells_nothing_about_who_exists(crowd: Crowd, ada: Person) -> None:
    answers = [
        (await crowd.api.ask("POST", "/api/auth/signin", json=form)).problem(401, "unauthenticated")
        for form in (
            {"email": ada.user.email, "password": "wrong password"},
            {"email": new_email(), "password": PASSWORD},
        )
    ]
    assert answers[0].detail == answers[1].detail


async def test_an_unknown_or_spent_invite_says_so(crowd: Crowd, ada: Person) -> None:
    form = {"fullname": "Bob", "email": new_email(), "password": PASSWORD, "invite": "no such code"}
    (await crowd.api.ask("POST", "/api/auth/signup", json=form)).problem(404, "not_found")
    invite = (await ada.ask("POST", f"/api/workspaces/{ada.workspace.id}/invites", {"max_uses": 1})).json(
        dict[str, Any], 201
    )
    await crowd.api.sign_up("Bob", invite=str(invite["code"]))
    spent = form | {"invite": invite["code"], "email": new_email()}
    (await crowd.api.ask("POST", "/api/auth/signup", json=spent)).problem(410, "invite_gone")


async def test_a_client_that_vanishes_halfway_holds_nobody_up(crowd: Crowd, ada: Person, chat: Chat) -> None:
    """Half a request, half a body, half a handshake: the others are served as if it were not there."""
    head = f"POST /api/chats/{chat.id}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
    halves = [
        (crowd.stack.api_url, b"POST /api/chats HTT"),
        (
            crowd.stack.api_url,
            f'{head}Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{{"content":'.encode(),
        ),
        (crowd.stack.notify_url, b"GET /events HTTP/1.1\r\nHost: x\r\nAuthoriz"),
        (
            crowd.stack.notify_url,
            f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode(),
        ),
    ]
    sockets = [_send(url, half) for url, half in halves for _ in range(5)]
    async with listen(crowd.stack.notify_url, token=ada.token) as stream:
        await stream.hello()
        await ada.post(chat, "served")
        await stream.message("served")
    for half_open in sockets:
        half_open.close()
    assert [message.content for message in await ada.history(chat)] == ["served"]


def _send(url: str, raw: bytes) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    connection.sendall(raw)
    return connection
