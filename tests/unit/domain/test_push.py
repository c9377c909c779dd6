"""Quiet hours: as the clock on the wall says, over midnight too."""

from datetime import UTC, datetime

import pytest

from fechatter.domain.push import QuietHours


@pytest.mark.parametrize(
    ("start", "end", "at", "quiet"),
    [
        ("22:00", "07:00", "21:59", False),
        ("22:00", "07:00", "22:00", True),
        ("22:00", "07:00", "03:00", True),
        ("22:00", "07:00", "07:00", False),
        ("12:00", "13:00", "12:30", True),
        ("12:00", "13:00", "13:00", False),
        ("08:00", "08:00", "08:00", False),
    ],
)
def test_hours_begin_and_end_where_they_say(start: str, end: str, at: str, quiet: bool) -> None:
    now = datetime.fromisoformat(f"2026-03-14T{at}:30+00:00")
    assert QuietHours(start=start, end=end, timezone="UTC").hold(now) is quiet


def test_they_are_those_of_the_time_zone() -> None:
    hours = QuietHours(start="22:00", end="07:00", timezone="Asia/Shanghai")
    assert hours.hold(datetime(2026, 3, 14, 15, 0, tzinfo=UTC))
    assert not hours.hold(datetime(2026, 3, 14, 23, 0, tzinfo=UTC))
