"""Within a stream by position, across streams as things happened; a transaction's events stay together."""

from datetime import UTC, datetime

from fechatter.notify.ordering import Ordering, first_positions, in_order
from fechatter.store.log.replay import LoggedEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(stream: str, pos: int, xid: int) -> LoggedEvent:
    return LoggedEvent(stream, pos, xid, "message.created", None, NOW, b"{}")


def places(events: list[LoggedEvent]) -> list[tuple[str, int]]:
    return [(placed.event.stream, placed.event.pos) for placed in in_order(events)]


def test_transactions_come_in_the_order_of_their_xids() -> None:
    events = [event("chat:1", 4, 10), event("chat:2", 9, 11), event("chat:1", 5, 12)]
    assert places(events) == [("chat:1", 4), ("chat:2", 9), ("chat:1", 5)]


def test_a_transaction_that_waited_for_another_comes_after_it_with_all_its_events() -> None:
    events = [event("user:7", 1, 10), event("chat:1", 6, 10), event("chat:1", 5, 11)]
    assert places(events) == [("chat:1", 5), ("user:7", 1), ("chat:1", 6)]


def test_a_chain_of_waits_unwinds() -> None:
    events = [event("a", 3, 1), event("a", 2, 2), event("a", 1, 3), event("b", 1, 4)]
    assert places(events) == [("a", 1), ("a", 2), ("a", 3), ("b", 1)]


def test_the_floor_stays_below_what_is_held_back() -> None:
    placed = in_order([event("a", 2, 5), event("b", 1, 6), event("a", 1, 7)])
    assert [(one.event.xid, one.floor) for one in placed] == [(6, 5), (7, 5), (5, 5)]


def test_events_in_chunks_come_in_the_same_order_as_at_once() -> None:
    events = [
        event("a", 3, 1),
        event("b", 2, 1),
        event("a", 2, 2),
        event("b", 1, 3),
        event("a", 1, 3),
        event("c", 1, 4),
    ]
    ordering = Ordering(first_positions(events))
    chunked = [placed for one in events for placed in ordering.push([one])] + list(ordering.finish())
    assert [placed.event for placed in chunked] == [placed.event for placed in in_order(events)]


def test_a_gap_is_delivered_rather_than_waited_for() -> None:
    assert places([event("a", 1, 1), event("a", 3, 2)]) == [("a", 1), ("a", 3)]
