"""Rates by themselves, on a clock of the test's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.domain.rates import Bucket, Rate
from fechatter.server.limits import address_key


def test_a_burst_then_one_each_interval() -> None:
    rate, bucket = Rate.per(60, 10), Bucket()
    assert [bucket.take(rate, 0.0).allowed for _ in range(11)] == [True] * 10 + [False]
    refused = bucket.take(rate, 0.0)
    assert (refused.remaining, refused.retry_after_s, refused.reset_s) == (0, 6, 60)
    assert bucket.take(rate, 6.0).allowed
    assert not bucket.take(rate, 6.1).allowed


@given(st.lists(st.floats(0, 30), max_size=200))
def test_never_more_than_the_burst_and_what_time_gives(gaps: list[float]) -> None:
    rate, bucket, now, allowed = Rate(5, 1.0), Bucket(), 0.0, 0
    for gap in gaps:
        now += gap
        allowed += bucket.take(rate, now).allowed
        assert allowed <= 5 + now + 1e-6


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_ipv6_subscriber_is_a_network(address: str, key: str) -> None:
    assert address_key(address) == key
