"""The account at the end of a run: history, log and every reader against what was promised.

verify    Violation if anything is lost, doubled, out of order, or was told to who may not hear it
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.flow.checker.inspector import Inspector
from tests.flow.checker.ledger import GONE, Heard, Ledger
from tests.flow.checker.people import Member
from tests.flow.checker.reader import Reader
from tests.flow.checker.record import Record, Turn
from tests.flow.checker.violation import hold

_page = msgspec.json.Decoder(list[Heard]).decode


class Account(msgspec.Struct):
    """What a run came to.

    changes      messages that were edited or deleted
    deliveries   events with a position that readers were told
    distinct     those of them that were no repetition: each reader, stream and position once
    log          events that are in the log at the end, after pruning
    """

    posts: int
    changes: int
    deliveries: int
    distinct: int
    log: int
    happened: dict[str, int]


async def verify(
    ledger: Ledger, record: Record, readers: Sequence[Reader], chats: Sequence[int], who: Member, inspector: Inspector
) -> Account:
    """Readers must have been let catch up; `who` may read all the chats."""
    changes = 0
    for chat in chats:
        versions = await _check_history(ledger, chat, who)
        changes += len(versions)
        for reader in readers:
            _check_versions(reader, chat, versions)
    events = await _check_log(record, inspector)
    for reader in readers:
        for chat in chats:
            if came := await inspector.joined_pos(chat, reader.person.id):  # it may have been pruned untold
                record.turns[f"chat:{chat}"].add(Turn(came, reader.person.id, came=True))
            _check_membership(reader, record, f"chat:{chat}")
    _check_retries(readers)
    happened: Counter[str] = Counter()
    for reader in readers:
        happened.update(reader.happened)
    return Account(
        posts=ledger.acknowledged,
        changes=changes,
        deliveries=sum(reader.told for reader in readers),
        distinct=sum(stretches.count() for reader in readers for stretches in reader.heard.values()),
        log=events,
        happened=dict(happened.most_common()),
    )


async def _check_history(ledger: Ledger, chat: int, who: Member) -> dict[int, int]:
    """Every promised message is there once, numbered without gaps, as it was last changed. Returns changes."""
    versions: dict[int, int] = {}
    found, expected, query = 0, 0, ""
    while page := _page((await who.insist("GET", f"/api/chats/{chat}/messages?limit=100{query}", accept={200})).body):
        expected = expected or page[0].seq  # newest first
        for message in page:
            hold(message.seq == expected, f"chat {chat}: message {message.seq} instead of {expected} in the history")
            version = ledger.check(message)
            series, number = ledger.of(message.idempotency_key)
            hold(series.ids[number] == message.id, f"{message.idempotency_key} is stored twice, or was not answered")
            hold(version == series.final_version(number), f"{message.idempotency_key} is not as it was last changed")
            if number in series.changes:
                versions[message.seq] = version
            expected, found = expected - 1, found + 1
        query = f"&before_id={page[-1].id}"
    promised = sum(sum(1 for id_ in series.ids if id_) for series in ledger.of_chat(chat))
    hold(found == promised and expected == 0, f"chat {chat}: {promised} messages were promised, {found} are there")
    return versions


def _check_versions(reader: Reader, chat: int, versions: dict[int, int]) -> None:
    """What was told last about a message is how it is now."""
    if reader.place.last.get(f"chat:{chat}") is None:
        return
    for (of_chat, seq), version in reader.versions.items():
        if of_chat == chat:
            now = versions.get(seq, 0)
            hold(version == now, f"{reader.name}, chat {chat}, message {seq}: told {_name(version)}, is {_name(now)}")


async def _check_log(record: Record, inspector: Inspector) -> int:
    """What was told is what was stored, each position once, without gaps but for what was pruned."""
    before: tuple[str, int] = ("", 0)
    count = 0
    async for row in inspector.log():
        stream, pos = row["stream"], row["pos"]
        hold(stream != before[0] or pos == before[1] + 1, f"the log's {before} is followed by {stream, pos}")
        record.mark(stream, pos, row["type"], row["subject"] or 0)
        if row["type"] in ("member.added", "member.removed") and stream.startswith("chat:"):
            record.turns[stream].add(Turn(pos, row["subject"], row["type"] == "member.added"))
        before, count = (stream, pos), count + 1
    return count


def _check_retries(readers: Sequence[Reader]) -> None:
    """Those who are sent away together must not come back together."""
    retries: Counter[int] = Counter()
    for reader in readers:
        retries.update(reader.retries)
    hold(retries.total() < 10 or len(retries) > retries.total() // 2, f"pauses before coming back: {retries}")


def _check_membership(reader: Reader, record: Record, stream: str) -> None:
    """Everybody was told only what happened while they were in: from their own coming to just before their going.

    A going of which nobody was told, since it was pruned while all who might have heard it were away, was somewhere
    before the next coming; such a coming, where a position is that nobody was told, since the going before it.
    """
    mine = sorted(turn for turn in record.turns[stream] if turn.user_id == reader.person.id)
    marks = record.marks[stream]
    inside: list[tuple[int, int]] = []
    came: int | None = 1
    went = 0
    for turn in mine:
        if came is None and not turn.came and 0 in marks[went : turn.pos]:
            came = marks.index(0, went) + 1
        if turn.came:
            if came is not None and 0 in marks[came : turn.pos]:
                inside.append((came, turn.pos - 1))
            came = turn.pos
        elif came is not None:
            inside.append((came, turn.pos - 1))
            came, went = None, turn.pos
    if came is not None:
        inside.append((came, 1 << 62))
    for first, last in reader.heard[stream].pairs:
        fits = any(begin <= first and last <= end for begin, end in inside)
        hold(fits, f"{reader.name} was told {stream} {first}–{last}, and was in it during {inside}")


def _name(version: int) -> str:
    return "deleted" if version == GONE else f"version {version}"
