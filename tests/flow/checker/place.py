"""How far one client is, and the rules of docs/protocol.md that say what may come next.

Place            what the client keeps: cursor and positions; it can be copied, to go back to
Place.judge      whether an event is new, a repetition, or breaks a promise
Stretches        which positions of a stream a client has been told, as a few pairs of numbers
"""

from typing import Literal

import msgspec

from tests.clients.feed import Told
from tests.flow.checker.inspector import Positions
from tests.flow.checker.ledger import Heard
from tests.flow.checker.record import About
from tests.flow.checker.violation import Violation, hold


class Place(msgspec.Struct):
    """`taken_at`: when the cursor came; `last`: position by stream; `seqs`: last seq by chat's stream."""

    cursor: str | None = None
    taken_at: float = 0.0
    last: dict[str, int] = {}
    seqs: dict[str, int] = {}
    floor: dict[str, int] = {}
    """Where all streams stood when the client last loaded its state: what is not above it, it has."""

    def copy(self) -> "Place":
        return Place(self.cursor, self.taken_at, self.last.copy(), self.seqs.copy(), self.floor)

    def load(self, positions: Positions) -> None:
        """The client has loaded everything up to here."""
        self.last, self.floor, self.seqs = dict(positions.visible), positions.everywhere, {}

    def judge(self, told: Told, about: Heard | About, me: int) -> Literal["new", "known"]:
        """What an event is to this client; new ones are applied. Violation for a gap."""
        assert told.stream is not None
        assert told.pos is not None
        stream, pos = told.stream, told.pos
        before = self.last.get(stream)
        if before is None and pos <= self.floor.get(stream, 0):
            return "known"
        if before is not None and pos <= before:
            return "known"
        begins = before is None or pos > before + 1
        if begins:
            mine = isinstance(about, About) and about.user_id == me and _lets_in(told.type, about)
            first = before is None and pos == 1
            hold(mine or first, f"{stream}: {before} is followed by {pos} ({told.type})")
        if told.type == "message.created" and isinstance(about, Heard):
            self._take_seq(stream, about.seq, anywhere=begins)
        elif begins:
            self.seqs.pop(stream, None)
        self.last[stream] = pos
        return "new"

    def leave(self, chat_id: int) -> None:
        """The client was told that it is no longer in the chat."""
        self.last.pop(f"chat:{chat_id}", None)
        self.seqs.pop(f"chat:{chat_id}", None)

    def _take_seq(self, stream: str, seq: int, *, anywhere: bool) -> None:
        before = self.seqs.get(stream)
        if not anywhere and before is not None and seq != before + 1:
            raise Violation(f"{stream}: message {before} is followed by {seq}, though positions have no gap")
        self.seqs[stream] = seq


class Stretches:
    """Pairs of first and last position."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[list[int]] = []

    def add(self, pos: int) -> None:
        pairs = self.pairs
        for pair in reversed(pairs):
            if pair[0] <= pos <= pair[1]:
                return
            if pair[1] + 1 == pos:
                pair[1] = pos
                return
        pairs.append([pos, pos])

    def count(self) -> int:
        return sum(last - first + 1 for first, last in self.pairs)


def _lets_in(type_: str, about: About) -> bool:
    """Whether the event gives whom it is about a stream that they did not hear, or no longer."""
    added = type_ in ("member.added", "workspace.member_added")
    return added or (type_ == "workspace.member_updated" and about.status == "Active")
