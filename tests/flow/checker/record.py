"""What stands where: all readers of a stream must be told the same at the same position. 8 bytes an event.

Record.see        somebody was told an event
Record.turns      who came into a chat and left it, at which positions
"""

from array import array
from collections import defaultdict
from typing import NamedTuple

import msgspec

from tests.clients.feed import Told
from tests.flow.checker.ledger import Heard
from tests.flow.checker.violation import hold

_KINDS = (
    *("message.created", "message.updated", "message.deleted", "chat.created", "chat.updated", "chat.deleted"),
    *("member.added", "member.removed", "member.updated", "workspace.updated", "workspace.member_added"),
    *("workspace.member_removed", "workspace.member_updated", "user.updated", "receipt.updated"),
)
_CODES = {kind: number for number, kind in enumerate(_KINDS, 1)}


class About(msgspec.Struct):
    """Whom or what an event is about, for all kinds but messages."""

    id: int = 0
    user_id: int = 0
    status: str = ""


class Turn(NamedTuple):
    """Somebody came into a chat, or left it."""

    pos: int
    user_id: int
    came: bool


_message = msgspec.json.Decoder(Heard).decode
_about = msgspec.json.Decoder(About).decode


class Record:
    """One for all readers of a run.

    marks    stream → by position: what stands there; 0: nobody was told it yet
    turns    chat's stream → who came and left, as told
    """

    def __init__(self) -> None:
        self.marks: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        self.turns: defaultdict[str, set[Turn]] = defaultdict(set)

    def see(self, told: Told) -> Heard | About:
        """Note an event with a position; returns what it is about. Violation if others were told something else."""
        assert told.stream is not None
        assert told.pos is not None
        hold(told.type in _CODES and told.at.endswith("Z"), f"not an event of the catalogue: {told}")
        if told.type.startswith("message."):
            about: Heard | About = _message(told.payload)
            subject = about.id
        else:
            about = _about(told.payload)
            subject = about.user_id or about.id
            if told.type in ("member.added", "member.removed") and told.stream.startswith("chat:"):
                self.turns[told.stream].add(Turn(told.pos, subject, told.type == "member.added"))
        self.mark(told.stream, told.pos, told.type, subject)
        return about

    def mark(self, stream: str, pos: int, kind: str, subject: int) -> None:
        marks = self.marks[stream]
        mark = _CODES[kind] << 56 | subject
        if pos > len(marks):
            marks.extend([0] * (pos - len(marks)))
        known = marks[pos - 1]
        hold(
            known in (0, mark),
            f"{stream} {pos}: {kind} of {subject} for one, {known >> 56}:{known & (1 << 56) - 1} for another",
        )
        marks[pos - 1] = mark
