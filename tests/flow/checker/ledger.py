"""What the service has promised: each post, edit and deletion that was answered 2xx. Some 20 bytes a message.

Ledger.series    one writer's messages; number n has the key `name-n`
Ledger.check     whether a message that somebody was told is one that was written, and as which version
text_of          what a message says in each version
"""

from array import array

import msgspec

from tests.flow.checker.violation import hold

GONE = 1 << 30
"""The version of a message that was deleted."""
_FILLER = "All that was said is heard once, in order. 谁都不会漏掉一句话。" * 400
_SIZES = (20, 40, 80, 120, 160, 240, 400, 60, 90, 30, 50, 70, 110, 200, 4_000, 300, 35, 45, 55, 65, 75, 85, 95, 14_000)


class Heard(msgspec.Struct):
    """The payload of message.*, as far as the account needs it."""

    id: int
    chat_id: int
    seq: int
    sender_id: int
    content: str
    idempotency_key: str
    edited_at: str | None
    deleted_at: str | None


class Change(msgspec.Struct):
    """Of one message: the last version that was tried, the last that was answered, and whether deletion was either."""

    tried: int = 0
    answered: int = 0
    deletion_tried: bool = False
    deletion_answered: bool = False

    @property
    def final(self) -> int:
        return GONE if self.deletion_answered else self.answered


class Series:
    """All that one writer has posted to one chat.

    began     by number: when its posting began, on the monotonic clock
    ids, seqs by number: what was answered; 0 until then
    changes   of those that were edited or deleted
    """

    def __init__(self, name: str, chat_id: int, sender_id: int) -> None:
        self.name, self.chat_id, self.sender_id = name, chat_id, sender_id
        self.began = array("d")
        self.ids = array("Q")
        self.seqs = array("I")
        self.changes: dict[int, Change] = {}

    def begin(self, at: float) -> int:
        """A new post; its number."""
        self.began.append(at)
        self.ids.append(0)
        self.seqs.append(0)
        return len(self.began) - 1

    def acknowledge(self, number: int, message_id: int, seq: int) -> None:
        known = (self.ids[number], self.seqs[number])
        hold(known in ((0, 0), (message_id, seq)), f"{self.name}-{number} was answered {known}, then {message_id, seq}")
        self.ids[number], self.seqs[number] = message_id, seq

    def change(self, number: int) -> Change:
        return self.changes.setdefault(number, Change())

    def final_version(self, number: int) -> int:
        change = self.changes.get(number)
        return 0 if change is None else change.final


class Ledger:
    """Everything promised so far. `acknowledged` counts posts that were answered."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self._series: dict[str, Series] = {}

    def series(self, name: str, chat_id: int, sender_id: int) -> Series:
        return self._series.setdefault(name, Series(name, chat_id, sender_id))

    def of(self, key: str) -> tuple[Series, int]:
        """The series and number of a message's key."""
        name, _, number = key.rpartition("-")
        hold(name in self._series and number.isdecimal(), f"nobody wrote {key!r}")
        series = self._series[name]
        hold(int(number) < len(series.began), f"{key} was not written yet")
        return series, int(number)

    def of_chat(self, chat_id: int) -> list[Series]:
        return [series for series in self._series.values() if series.chat_id == chat_id]

    def check(self, message: Heard) -> int:
        """The version of a message that was told. Violation if nobody wrote it so."""
        series, number = self.of(message.idempotency_key)
        what = f"{message.idempotency_key} (message {message.id}, seq {message.seq})"
        hold((message.chat_id, message.sender_id) == (series.chat_id, series.sender_id), f"{what}: of another chat")
        answered = (series.ids[number], series.seqs[number])
        hold(answered in ((0, 0), (message.id, message.seq)), f"{what}: it was answered {answered}")
        change = series.changes.get(number) or Change()
        if message.deleted_at is not None:
            hold(
                change.deletion_tried and not message.content, f"{what}: nobody deleted it, or its text is still there"
            )
            return GONE
        version = _version_of(message.content)
        hold(version <= change.tried, f"{what}: version {version} was never written")
        hold(message.content == text_of(message.idempotency_key, version), f"{what}: another text")
        return version


def text_of(key: str, version: int) -> str:
    """What the message with this key says; mostly short, at times some kilobytes."""
    number = int(key.rpartition("-")[2])
    return f"v{version} {key} {_FILLER[: _SIZES[number % len(_SIZES)]]}".rstrip()


def _version_of(content: str) -> int:
    digits = content.partition(" ")[0][1:]
    return int(digits) if digits.isdecimal() else GONE - 1
