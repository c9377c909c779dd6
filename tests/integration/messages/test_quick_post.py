"""The short way of a post answers as the framework would, whatever is asked, and only it is taken by plain posts.

A query that means nothing makes a post go the long way: each request goes both ways and the answers are compared.
"""

from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from litestar.routes import HTTPRoute

from fechatter.actions.messages.post_message import Posting
from tests.clients.api import Answer, Person
from tests.support.world import World, statements

OF_THE_MOMENT = {"date", "content-length", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}
OF_THE_MESSAGE = {"id", "seq", "created_at", "request_id"}
BODIES = {
    "a post": b'{"content":"Hello"}',
    "with an empty list and nulls": b'{"content":"Hello","files":[],"reply_to":null,"idempotency_key":null}',
    "a chinese one with a line break": '{"content":"你好\\n世界 \\u2028"}'.encode(),
    "a field that does not exist": b'{"content":"Hello","colour":"red"}',
    "no content": b"{}",
    "empty content": b'{"content":""}',
    "too much content": b'{"content":"' + b"x" * 16_385 + b'"}',
    "a number for content": b'{"content":7}',
    "NUL": b'{"content":"a\\u0000b"}',
    "a lone surrogate": b'{"content":"\\ud800"}',
    "a bad key": b'{"content":"Hello","idempotency_key":"no spaces please"}',
    "a file that is none": b'{"content":"Hello","files":[999999]}',
    "a file twice": b'{"content":"Hello","files":[1,1]}',
    "an id as text": b'{"content":"Hello","reply_to":"7"}',
    "an id beyond all ids": b'{"content":"Hello","reply_to":9223372036854775808}',
    "a reply to nothing": b'{"content":"Hello","reply_to":999999}',
    "a list": b"[]",
    "no JSON": b"{",
    "no text": b'{"content":"\xff"}',
    "nothing": b"",
    "nested too deeply": b"[" * 100_000,
    "more than a body may have": b'{"content":"' + b"x" * 1024 * 1024 + b'"}',
}
HEADERS: dict[str, dict[str, str]] = {
    "plain text": {"Content-Type": "text/plain"},
    "another JSON": {"Content-Type": "application/problem+json; charset=utf-8"},
    "a token that is none": {"Authorization": "Bearer abc"},
    "another scheme": {"Authorization": "Basic YTpi"},
    "no token": {"Authorization": ""},
    "an id of its own": {"X-Request-Id": "mine-1"},
    "a page of another origin": {"Origin": "https://elsewhere.example"},
}
PATHS = [
    "chats/007/messages",
    "chats/+7/messages",
    "chats/0/messages",
    "chats/99999999999999999999/messages",
    "chats/999999/messages",
    "chats/٧/messages",
]


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_is_answered_alike_on_both_ways(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    await _assert_alike(ada, f"/api/chats/{chat.id}/messages", BODIES[name])


@pytest.mark.parametrize("name", HEADERS)
async def test_headers_are_answered_alike_on_both_ways(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    await _assert_alike(ada, f"/api/chats/{chat.id}/messages", BODIES["a post"], HEADERS[name])


@pytest.mark.parametrize("path", PATHS)
async def test_a_chat_that_is_none_is_answered_alike_on_both_ways(world: World, path: str) -> None:
    (ada,) = await world.people("Ada")
    await _assert_alike(ada, f"/api/{path}", BODIES["a post"])


async def test_refusals_of_the_post_itself_are_answered_alike_on_both_ways(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    secret = await ada.create_chat("PrivateChannel", "secret")
    public = await ada.create_chat("PublicChannel", "public")
    for chat, status in ((secret, 404), (public, 403)):
        answer = await _assert_alike(bob, f"/api/chats/{chat.id}/messages", BODIES["a post"])
        assert answer.status == status
    await world.sign_out(bob)
    answer = await _assert_alike(bob, f"/api/chats/{public.id}/messages", BODIES["a post"])
    assert answer.status == 401


async def test_a_retry_on_either_way_gets_the_message_of_the_other(world: World) -> None:
    (ada,) = await world.people("Ada")
    path = f"/api/chats/{(await ada.create_chat('Single', None)).id}/messages"
    body = b'{"content":"Once","idempotency_key":"k1"}'
    first, again = await _both(ada, path, body)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    other = await _assert_alike(ada, path, b'{"content":"Twice","idempotency_key":"k1"}')
    other.problem(409, "idempotency_conflict")


async def test_what_breaks_is_answered_alike_and_tells_nothing(world: World) -> None:
    (ada,) = await world.people("Ada")
    path = f"/api/chats/{(await ada.create_chat('Single', None)).id}/messages"

    async def broken(*_: object) -> None:
        raise RuntimeError("the inside of the program")

    with patch.object(Posting, "post", broken):
        short = await ada.api.try_to_ask("POST", path, token=ada.token, content=BODIES["a post"])
        long = await ada.api.try_to_ask("POST", f"{path}?way=long", token=ada.token, content=BODIES["a post"])
    assert _lasting(short) == _lasting(long)
    short.problem(500, "internal")
    assert b"inside" not in short.body


async def test_a_plain_post_does_not_pass_the_framework(world: World) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    with patch.object(HTTPRoute, "handle", side_effect=AssertionError("the long way")), statements(1):
        assert (await ada.post(chat, "Hello")).content == "Hello"


async def test_posts_on_both_ways_are_counted_by_their_route(world: World) -> None:
    (ada,) = await world.people("Ada")
    path = f"/api/chats/{(await ada.create_chat('Single', None)).id}/messages"
    before = await _posts_counted(world)
    await _both(ada, path, BODIES["a post"])
    assert await _posts_counted(world) - before == 2


async def _assert_alike(person: Person, path: str, content: bytes, headers: dict[str, str] | None = None) -> Answer:
    short, long = await _both(person, path, content, headers)
    assert _lasting(short) == _lasting(long)
    return short


async def _both(
    person: Person, path: str, content: bytes, headers: dict[str, str] | None = None
) -> tuple[Answer, Answer]:
    """The answers on the short way and on the long one."""
    token = None if headers and "Authorization" in headers else person.token
    return (
        await person.api.ask("POST", path, token=token, content=content, headers=headers),
        await person.api.ask("POST", f"{path}?way=long", token=token, content=content, headers=headers),
    )


def _lasting(answer: Answer) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}
    body = msgspec.json.decode(answer.body, type=dict[str, Any])
    return answer.status, headers, {name: value for name, value in body.items() if name not in OF_THE_MESSAGE}


async def _posts_counted(world: World) -> float:
    text = (await world.api.ask("GET", "/metrics")).body.decode()
    wanted = 'fechatter_requests_seconds_count{method="POST",route="/api/chats/{chat_id}/messages",status="201"}'
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(wanted))
