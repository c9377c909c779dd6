"""What a session remembers of what its connection has got."""

from datetime import UTC, datetime

from fechatter.notify.session import NOTHING, Had
from fechatter.store.log.replay import LoggedEvent, Seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(pos: int, xid: int, stream: str = "chat:1") -> LoggedEvent:
    return LoggedEvent(stream, pos, xid, "message.created", 1, NOW, b"{}")


def test_a_replay_that_breaks_off_early_takes_nothing_back_that_a_longer_one_gave() -> None:
    """While a transaction is open for long, replays begin at the same place again and again."""
    had = NOTHING.and_({"chat:1": 333, "chat:2": 5}).and_({"chat:1": 322, "chat:3": 1})
    assert had.covers(event(333, 900))
    assert not had.covers(event(334, 900))
    assert had.covers(event(5, 900, "chat:2"))
    assert had.covers(event(1, 900, "chat:3"))


def test_what_was_seen_is_all_but_what_was_pending() -> None:
    had = Had(Seen(100, (90,)))
    assert had.covers(event(7, 100))
    assert not had.covers(event(7, 90))
    assert not had.covers(event(7, 101))
