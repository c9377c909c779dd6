"""What a session remembers of what its connection has got."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fechatter.domain.people import Caller
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.frames import Frame
from fechatter.notify.session import NOTHING, Had, Phase, Session
from fechatter.store.log.replay import Log, LoggedEvent, Seen, Snapshot

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


def _ask(session: Session, what: str) -> list[Frame]:
    log = Log("epoch", 0, Snapshot(200, 200, ()), 199)
    match what:
        case "resume":
            session.resume("epoch.100")
        case "judge":
            return session.judge(log)
        case "reload":
            session.reload("It is time to reload.")
        case "give up":
            session.give_up_replay("It is too much.")
        case "replayed":
            session.replayed(log.seen)
        case "live":
            return session.go_live("epoch", 200)
        case "again":
            session.again()
        case "lag":
            session.lag(150, NOTHING)
        case "drained":
            session.drained()
        case _:
            return session.end(CloseCode.GOING_AWAY)
    return []


ASKED = ["resume", "judge", "reload", "give up", "replayed", "live", "again", "lag", "drained", "end"]


@given(st.lists(st.sampled_from(ASKED)), st.lists(st.sampled_from(ASKED)), st.sampled_from([None, "epoch.100"]))
def test_nothing_leads_out_of_the_end_and_nothing_is_said_after_it(
    before: list[str], after: list[str], token: str | None
) -> None:
    """Callers wait for the database between asking and acting: a session may have ended meanwhile."""
    session = Session(Caller(1, 1), token, 15)
    for what in before:
        _ask(session, what)
    session.end(CloseCode.GOING_AWAY)
    for what in after:
        assert not _ask(session, what)
        assert session.phase is Phase.ENDED
        assert not session.ready
        assert not session.missed(event(1, 150), 0)


@given(st.lists(st.sampled_from(ASKED)), st.sampled_from([None, "epoch.100"]))
def test_who_has_fallen_behind_is_told_nothing_until_it_has_read_what_is_buffered(
    before: list[str], token: str | None
) -> None:
    session = Session(Caller(1, 1), token, 15)
    for what in before:
        told = _ask(session, what)
        assert not told or session.phase is not Phase.LAGGING
