"""The people of a loaded history: accounts without a password, in one workspace.

place_authors    find or make all authors of some remarks
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from secrets import randbelow

import msgspec

from fechatter.domain.events import Event, EventType, stream_of_workspace
from fechatter.domain.history import Remark, address_of
from fechatter.domain.text import USERNAME_CHARS, username_from
from fechatter.store.database import Connection
from fechatter.store.log import event_log
from fechatter.store.messages import history_people
from fechatter.store.messages.history_people import Author

SUFFIXES = range(2, 10)
_ROUNDS = 20


class _Person(msgspec.Struct, frozen=True):
    key: str
    fullname: str
    email: str
    since: datetime


async def place_authors(tx: Connection, workspace_id: int, remarks: Iterable[Remark]) -> tuple[dict[str, int], int]:
    """Folded author → user, in the workspace by now, and how many were made.

    An author whose address belongs to someone who can sign in is left out: nobody is made to say something.
    """
    people = _people(workspace_id, remarks)
    known = await history_people.accounts(tx, [person.email for person in people])
    made = await _make(tx, [person for person in people if person.email not in known])
    if made:
        known = await history_people.accounts(tx, [person.email for person in people])
    placed = {
        person.key: known[person.email].user_id
        for person in people
        if person.email in known and not known[person.email].is_open
    }
    await _enrol(tx, workspace_id, [person for person in people if person.key in placed], placed)
    return placed, made


def _people(workspace_id: int, remarks: Iterable[Remark]) -> list[_Person]:
    """Everyone once, named as in their first line."""
    people: dict[str, _Person] = {}
    for remark in remarks:
        if remark.author_key not in people:
            email = address_of(remark.author_key, workspace_id)
            people[remark.author_key] = _Person(remark.author_key, remark.author, email, remark.sent_at)
    return list(people.values())


async def _make(tx: Connection, people: Sequence[_Person]) -> int:
    """Give everyone an account with a username of their own. Others may take names meanwhile: then again."""
    left = list(people)
    for round_ in range(_ROUNDS):
        if not left:
            break
        names = await _free_usernames(tx, left, at_random=round_ > 1)
        await history_people.insert_authors(
            tx,
            [
                Author(person.email, person.fullname, name, person.since)
                for person, name in zip(left, names, strict=True)
                if name is not None
            ],
        )
        there = await history_people.accounts(tx, [person.email for person in left])
        left = [person for person in left if person.email not in there]
    return len(people) - len(left)


async def _free_usernames(tx: Connection, people: Sequence[_Person], *, at_random: bool) -> list[str | None]:
    """The username that each one's name gives, else one with a number that nobody has; None: try again."""
    wanted = [_candidates(person.fullname, at_random) for person in people]
    taken = await history_people.taken_usernames(tx, [name for names in wanted for name in names])
    chosen: list[str | None] = []
    for names in wanted:
        free = next((name for name in names if name not in taken), None)
        chosen.append(free)
        taken.add(free or "")
    return chosen


def _candidates(fullname: str, at_random: bool) -> list[str]:
    name = username_from(fullname)
    stem = name[: USERNAME_CHARS - 8]
    if at_random:
        return [f"{stem}{1_000 + randbelow(9_000_000)}"]
    return [name, *(f"{stem}{number}" for number in SUFFIXES)]


async def _enrol(tx: Connection, workspace_id: int, people: Sequence[_Person], ids: dict[str, int]) -> None:
    enrolled = await history_people.enrol(
        tx, workspace_id, [ids[person.key] for person in people], [person.since for person in people]
    )
    await event_log.append(
        tx,
        [
            Event(
                stream=stream_of_workspace(workspace_id),
                type=EventType.WORKSPACE_MEMBER_ADDED,
                payload=member,
                workspace_id=workspace_id,
            )
            for member in enrolled
        ],
    )
