"""What a device is told of a message; the service worker of the page reads it (`web/src/worker/words.ts`).

payload_of   as JSON, far below the 4,096 bytes that push services take
urgency_of   whether a sleeping phone is to be woken (RFC 8030)
topic_of     a newer push of the same chat takes the place of one that waits for the device
"""

import re
from typing import Any

import msgspec

from fechatter.domain.chats import ChatType
from fechatter.store.push.deliveries import TEST, Due

TITLE_CHARS = 120
BODY_CHARS = 240
_MARKS = re.compile(r"```\w*|[*~`]{1,3}(?=\S)|(?<=\S)[*~`]{1,3}|^[#>\s]+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def payload_of(due: Due, name: str) -> bytes:
    """`name` is the installation's, for what belongs to no chat."""
    if due.message_id == TEST:
        return msgspec.json.encode({"kind": "test", "title": name, "locale": due.locale})
    told: dict[str, Any] = {
        "kind": "message",
        "title": _cut(_title(due), TITLE_CHARS),
        "locale": due.locale,
        "chat_id": due.chat_id,
        "message_id": due.message_id,
        "seq": due.seq,
    }
    if not due.settings.hide_content:
        told["files"] = due.files
        if body := _cut(_plain(due.content), BODY_CHARS):
            told["body"] = body
    return msgspec.json.encode(told)


def urgency_of(due: Due) -> str:
    return "high" if due.mentioned or due.chat_type == ChatType.SINGLE or due.message_id == TEST else "normal"


def topic_of(due: Due) -> str:
    return "test" if due.message_id == TEST else f"chat-{due.chat_id}"


def _title(due: Due) -> str:
    if due.chat_type == ChatType.SINGLE or not due.chat_name:
        return due.sender
    sign = "" if due.chat_type == ChatType.GROUP else "#"
    return f"{due.sender} · {sign}{due.chat_name}"


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
