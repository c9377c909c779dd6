"""What travels over NATS comes out as it went in, and goes only where it is wanted."""

import pytest

from fechatter.bus import subjects
from fechatter.bus.interest import Interest
from fechatter.store.log.outbox import Written


def test_places_come_out_as_they_went_in() -> None:
    events = [Written("chat:7", 1, 3), Written("workspace:3", 2, 3), Written("chat:7", 2, 3)]
    assert subjects.streams_in(subjects.encode(events)) == {"chat:7", "workspace:3"}


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"chat:7", b" ", b"{}"])
def test_what_is_not_understood_says_nothing(junk: bytes) -> None:
    assert subjects.streams_in(junk) == set()


def test_news_of_a_chat_go_to_its_workspace_and_those_of_a_person_to_wherever_the_person_is() -> None:
    assert subjects.of_event(Written("chat:7", 1, 3)) == subjects.of_workspace(3)
    assert subjects.of_event(Written("user:7", 1, 3)) == subjects.of_user(7)
    assert subjects.of_event(Written("user:7", 1, None)) == subjects.of_user(7)


def test_no_workspace_shares_a_subject_with_people() -> None:
    people = {subjects.of_user(user_id) for user_id in range(1_000)}
    assert len(people) == subjects.SHARDS
    assert not people & {subjects.of_workspace(workspace_id) for workspace_id in range(1_000)}


def test_a_subject_is_wanted_until_the_last_one_has_gone() -> None:
    interest = Interest()
    interest.gain("a")
    interest.gain("a")
    interest.changed.clear()
    interest.lose("a")
    assert not interest.changed.is_set()
    assert interest.subjects == {"a"}
    interest.lose("a")
    assert interest.changed.is_set()
    assert not interest.subjects
