"""What is away is told at the loss, now and then while it lasts, and at the return; never at each try."""

from itertools import pairwise

from structlog.testing import capture_logs

from fechatter import logs
from fechatter.bus.outage import MOST_REASONS, REMIND_S, STEADY_S, Outage


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_long_outage_is_told_once_a_minute_whatever_the_number_of_tries() -> None:
    clock = Clock()
    outage = Outage(logs.get("test"), "lost", "back", clock)
    with capture_logs() as logged:
        outage.ends()
        for _ in range(1_800):
            outage.lasts("does not listen")
            clock.now += 2.0
        outage.ends()
        outage.ends()
    told = [entry["event"] for entry in logged]
    assert told == ["back", *["lost"] * 60, "back"]


def test_each_loss_of_what_had_held_is_told_at_once() -> None:
    clock = Clock()
    outage = Outage(logs.get("test"), "lost", "back", clock)
    with capture_logs() as logged:
        for _ in range(3):
            outage.ends()
            clock.now += STEADY_S + 1
            outage.lasts("closed the connection")
            clock.now += 1
    assert [entry["event"] for entry in logged] == ["back", "lost"] * 3


def test_what_comes_back_for_moments_only_is_one_outage() -> None:
    clock = Clock()
    outage = Outage(logs.get("test"), "lost", "back", clock)
    with capture_logs() as logged:
        for _ in range(100):
            outage.ends()
            clock.now += 0.5
            outage.lasts("does not permit what we need")
            clock.now += 0.5
    told = [entry["event"] for entry in logged]
    assert told.count("lost") == 2, "at the beginning, and after a minute"
    assert all(one != other for one, other in pairwise(told))
    assert REMIND_S < 100


def test_each_reason_is_told_once_an_outage_and_not_endlessly_many() -> None:
    """At one try a refusal looks like a line that was cut; what it is must not wait for the reminder."""
    clock = Clock()
    outage = Outage(logs.get("test"), "lost", "back", clock)
    reasons = ["closed the connection", "refuses messaging.token", *(f"fails: {n}" for n in range(10))]
    with capture_logs() as logged:
        for _ in range(3):
            for reason in reasons:
                outage.lasts(reason)
                clock.now += 1
    assert [entry["error"] for entry in logged] == reasons[:MOST_REASONS]


def test_it_says_why_while_it_lasts() -> None:
    outage = Outage(logs.get("test"), "lost", "back")
    outage.lasts("does not listen")
    outage.lasts("refuses messaging.token")
    assert outage.why == "refuses messaging.token"
    outage.ends()
    assert outage.why == ""
