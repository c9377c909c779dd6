"""Who may come in, and who hears what."""

import asyncio
import time
from typing import Any

import pytest

from tests.clients.api import Person
from tests.clients.shapes import Chat, Message
from tests.clients.sse import Refused, listen
from tests.clients.tokens import claims_of, signed, signing_key
from tests.flow.conftest import Crowd
from tests.support.stack import Stack

WRONG_TOKENS = [
    "garbage",
    "a.b.c",
    "..",
    "expired",
    "none",
    "None",
    "other key",
    "HS512",
    "no session",
    "sub is a number",
]


def wrong_token(kind: str, person: Person, stack: Stack) -> str:
    """A token for the person that is right but for one thing."""
    claims: dict[str, Any] = claims_of(person.token)
    key = signing_key(stack)
    match kind:
        case "expired":
            return signed(claims | {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}, key)
        case "none" | "None":
            return signed(claims, b"", kind)
        case "other key":
            return signed(claims, b"0" * 64)
        case "HS512":
            return signed(claims, key, "HS512")
        case "no session":
            return signed({name: value for name, value in claims.items() if name != "sid"}, key)
        case "sub is a number":
            return signed(claims | {"sub": person.id}, key)
        case _:
            return kind


async def test_a_token_made_like_the_real_one_is_accepted(crowd: Crowd) -> None:
    """Else the next tests would prove nothing."""
    ada = await crowd.sign_up()
    ours = signed(claims_of(ada.token), signing_key(crowd.stack))
    assert (await crowd.api.ask("GET", "/api/users/me", token=ours)).status == 200
    async with listen(crowd.stack.notify_url, token=ours) as stream:
        await stream.hello()


@pytest.mark.parametrize("kind", WRONG_TOKENS)
async def test_a_wrong_token_is_refused_by_both_services(crowd: Crowd, kind: str) -> None:
    ada = await crowd.sign_up()
    token = wrong_token(kind, ada, crowd.stack)
    code = "token_expired" if kind == "expired" else "unauthenticated"
    (await crowd.api.ask("GET", "/api/users/me", token=token)).problem(401, code)
    (await crowd.api.ask("POST", "/api/chats/1/messages", token=token, json={"content": "hi"})).problem(401, code)
    with pytest.raises(Refused) as refused:
        async with listen(crowd.stack.notify_url, token=token):
            pass
    refused.value.answer.problem(401, code)


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_in_the_address_is_refused_by_both_services(crowd: Crowd, name: str) -> None:
    """Addresses end up in logs and histories."""
    ada = await crowd.sign_up()
    (await crowd.api.ask("GET", f"/api/users/me?{name}={ada.token}")).problem(401, "unauthenticated")
    with pytest.raises(Refused) as refused:
        async with listen(f"{crowd.stack.notify_url}/events?{name}={ada.token}", path=""):
            pass
    refused.value.answer.problem(401, "unauthenticated")
    assert ada.token not in crowd.stack.output()


async def test_a_ticket_opens_one_stream(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    ticket = await ada.ticket()
    async with listen(crowd.stack.notify_url, ticket=ticket) as stream:
        assert (await stream.hello()).user_id == ada.id
    with pytest.raises(Refused) as refused:
        async with listen(crowd.stack.notify_url, ticket=ticket):
            pass
    refused.value.answer.problem(401, "unauthenticated")


async def test_a_ticket_that_is_used_twice_at_once_opens_one_stream(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    ticket = await ada.ticket()

    async def come_in() -> bool:
        try:
            async with listen(crowd.stack.notify_url, ticket=ticket) as stream:
                await stream.hello()
                return True
        except Refused as refusal:
            refusal.answer.problem(401, "unauthenticated")
            return False

    assert sorted(await asyncio.gather(*(come_in() for _ in range(5)))) == [False] * 4 + [True]


async def test_both_addresses_of_the_stream_are_the_same_stream(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    for path in ("/events", "/api/notifications/events"):
        async with listen(crowd.stack.notify_url, token=ada.token, path=path) as stream:
            assert (await stream.hello()).session_id == claims_of(ada.token)["sid"]


async def everything_with(person: Person, chat: Chat) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("GET", f"/api/chats/{chat.id}", None),
        ("GET", f"/api/chats/{chat.id}/members", None),
        ("GET", f"/api/chats/{chat.id}/messages", None),
        ("POST", f"/api/chats/{chat.id}/messages", {"content": f"from {person.id}"}),
        ("POST", f"/api/chats/{chat.id}/join", None),
    ]


async def test_a_private_chat_of_colleagues_looks_like_one_that_does_not_exist(crowd: Crowd) -> None:
    """The answers differ in nothing but the request's id."""
    ada = await crowd.sign_up()
    bob, eve, dan = await crowd.colleagues(ada, "Bob", "Eve", "Dan")
    for chat in (
        await ada.create_chat("Group", others=[bob, eve]),
        await ada.create_chat("PrivateChannel", others=[bob]),
        await ada.create_chat("Single", others=[bob]),
    ):
        for method, path, body in await everything_with(dan, chat):
            there = (await dan.ask(method, path, body)).problem(404, "not_found")
            nowhere = (await dan.ask(method, path.replace(str(chat.id), "987654321"), body)).problem(404, "not_found")
            assert (there.title, there.detail, there.errors) == (nowhere.title, nowhere.detail, nowhere.errors)


async def test_a_public_channel_of_another_workspace_does_not_exist(crowd: Crowd) -> None:
    ada, stranger = await crowd.sign_up(), await crowd.sign_up("Stranger")
    chat = await ada.create_chat("PublicChannel")
    for method, path, body in await everything_with(stranger, chat):
        (await stranger.ask(method, path, body)).problem(404, "not_found")


async def test_a_public_channel_is_read_by_colleagues_and_written_by_members(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel")
    posted = await ada.post(chat, "open to all")
    assert await bob.history(chat) == [posted]
    (await bob.say(chat, "let me in")).problem(403, "forbidden")
    await bob.join(chat)
    await bob.post(chat, "I am in")


async def test_only_members_hear_of_a_message(crowd: Crowd) -> None:
    """The outsider's next event is the one meant for them: nothing came before it."""
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    secret = await ada.create_chat("PrivateChannel", others=[bob])
    channel = await ada.create_chat("PublicChannel", others=[bob])
    async with crowd.listen(bob) as inside, crowd.listen(eve) as outside:
        await asyncio.gather(inside.hello(), outside.hello())
        await ada.post(secret, "not for Eve")
        await ada.post(channel, "not for Eve either, who has not joined")
        shared = await ada.create_chat("Group", others=[bob, eve])
        await ada.post(shared, "for Eve too")
        await inside.message("for Eve too")
        await outside.message("for Eve too")
    assert [event.kind for event in outside.events] == ["hello", "chat.created", "message.created"]
    assert [event.payload(Message).content for event in inside.events if event.kind == "message.created"] == [
        "not for Eve",
        "not for Eve either, who has not joined",
        "for Eve too",
    ]


async def test_a_session_that_was_ended_is_refused_at_once_and_its_stream_closed(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    async with crowd.listen(ada) as stream:
        await stream.hello()
        (await ada.ask("POST", "/api/auth/signout")).nothing()
        (await ada.ask("GET", "/api/users/me")).problem(401, "unauthenticated")
        goodbye = await stream.until(lambda event: event.kind == "goodbye", "goodbye")
        assert goodbye.payload(dict[str, Any])["code"] in (4401, 4403)
        assert goodbye.payload(dict[str, Any])["reconnect"] is False
    with pytest.raises(Refused) as refused:
        async with crowd.listen(ada):
            pass
    refused.value.answer.problem(401, "unauthenticated")
