"""Text that breaks programs: stored and given back as it is, or refused with 400; never a fault, never changed."""

from typing import Any

import msgspec
import pytest

from tests.clients.shapes import Message
from tests.support.world import World

KEPT = {
    "right-to-left override": "photo\u202egpj.exe",
    "isolates left open": "\u2066\u2067\u2068" * 100,
    "combining flood": "z" + "\u0300" * 5000,
    "four-byte": "😀𝔘𠮷" * 1000,
    "family": "👩\u200d👩\u200d👧\u200d👦" * 500,
    "zero width": "a\u200b\u200c\u200d\ufeffb",
    "non-characters": "\ufffe\uffff\U0010ffff",
    "private use": "\ue000\U000f0000",
    "controls": "\x01\x02\x1b[31mred\x7f\x85",
    "line separators": "a\u2028b\u2029c\r\n\r\nd",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown": "[x](javascript:alert(1)) ![](http://x/y) `" + "`" * 500,
    "SQL": "'; DROP TABLE messages; --",
    "format": "%s%n{0}{{}}${jndi:ldap://x}\\u0000",
    "JSON": '{"__proto__": {"admin": true}}',
    "template": "{{7*7}}<%= 7*7 %>${7*7}",
    "spaces": " \t\n",
    "mentions": "@" * 2000 + "@ada" * 500,
    "CJK": "喂" * 16_384,
    "longest": "x" * 16_384,
    "decomposed": "e\u0301" * 1000,
}
REFUSED = {
    "NUL": "a\x00b",
    "empty": "",
    "one too many": "x" * 16_385,
    "one too many of four bytes": "😀" * 16_385,
}


@pytest.mark.parametrize("name", KEPT)
async def test_a_message_is_kept_to_the_letter(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    posted = await ada.post(chat, KEPT[name])
    assert posted.content == KEPT[name]
    assert [message.content for message in await ada.history(chat)] == [KEPT[name]]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_a_message_is_refused(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    problem = (await ada.say(chat, REFUSED[name])).problem(400, "invalid_request")
    assert [fault.field for fault in problem.errors] == ["content"]
    assert await ada.history(chat) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"{}",
        b'{"content": 1}',
        b'{"content": "x", "content": 1}',
        b'{"content": "x", "extra": 1}',
        b'{"content": "\\ud800"}',
        b'{"content": "\\udc00\\ud800"}',
        b'{"content": "\xff\xfe"}',
        b'{"content": "\xed\xa0\x80"}',
        b'{"content": "x", "reply_to": 1e400}',
        b'{"content": "x", "reply_to": 1.5}',
        b'{"content": "x", "reply_to": 0}',
        b'{"content": "x", "reply_to": -1}',
        b'{"content": "x", "reply_to": 9223372036854775808}',
        b'{"content": "x", "files": [0]}',
        b'{"content": "x", "files": {}}',
        b'{"content": "x", "idempotency_key": ""}',
        b'{"content": "x", "idempotency_key": "a b"}',
        b'{"content": "x", "idempotency_key": "' + b"k" * 65 + b'"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"content": "x"} trailing',
        b"NaN",
    ],
)
async def test_a_body_that_is_no_draft_is_400(world: World, body: bytes) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    answer = await ada.ask("POST", f"/api/chats/{chat.id}/messages", content=body)
    answer.problem(400, "invalid_request")


async def test_a_body_beyond_the_limit_is_413(world: World) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    body = msgspec.json.encode({"content": "x" * (1 << 20)})
    (await ada.ask("POST", f"/api/chats/{chat.id}/messages", content=body)).problem(413, "too_large")


@pytest.mark.parametrize("name", ["", " ", "\n", "a\x00", "a\nb", "x" * 129, "\u2028", "\x1b[2J"])
async def test_a_name_is_one_visible_line(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    form: dict[str, Any] = {"type": "PublicChannel", "name": name}
    (await ada.ask("POST", "/api/chats", form)).problem(400, "invalid_request")


async def test_names_that_differ_only_in_case_or_form_are_one(world: World) -> None:
    (ada,) = await world.people("Ada")
    await ada.create_chat("PublicChannel", "Straße")
    for same in ("STRASSE", "strasse", "Ｓtraße"):
        answer = await ada.ask("POST", "/api/chats", {"type": "PublicChannel", "name": same})
        answer.problem(409, "chat_name_taken")


@pytest.mark.parametrize("id_", ["0", "-1", "1.5", "1e3", "x", "%00", "%2e%2e", "9" * 40, "١", "1%0a", "0x10", "+1"])
async def test_an_id_that_none_can_be_is_not_there(world: World, id_: str) -> None:
    (ada,) = await world.people("Ada")
    for path in (f"/api/chats/{id_}", f"/api/chats/{id_}/messages", f"/api/users/{id_}", f"/api/files/{id_}"):
        (await ada.ask("GET", path)).problem(404, "not_found")


@pytest.mark.parametrize("value", ["", "x", "0", "-1", "1.5", "9" * 40, "null", "1&limit=2", "%00", "true"])
async def test_a_parameter_that_is_no_number_is_400(world: World, value: str) -> None:
    (ada,) = await world.people("Ada")
    chat = await ada.create_chat("Single", None)
    (await ada.ask("GET", f"/api/chats/{chat.id}/messages?limit={value}")).problem(400, "invalid_request")


async def test_an_anchor_of_another_chat_tells_nothing_of_it(world: World) -> None:
    ada, eve = await world.people("Ada", "Eve")
    secret = await ada.create_chat("Single", None)
    message: Message = await ada.post(secret, "secret")
    own = await eve.create_chat("Single", None)
    for word in ("before_id", "after_id", "around_id"):
        theirs = await eve.ask("GET", f"/api/chats/{own.id}/messages?{word}={message.id}")
        nobodys = await eve.ask("GET", f"/api/chats/{own.id}/messages?{word}={2**60}")
        assert theirs.problem(400, "invalid_request").detail == nobodys.problem(400, "invalid_request").detail
    (await eve.say(own, "x", reply_to=message.id)).problem(400, "invalid_request")
