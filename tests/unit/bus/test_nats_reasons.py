"""Why NATS cannot be used, as /ready tells everybody."""

import pytest

from fechatter.bus.nats_reasons import why
from fechatter.config import Messaging


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (OSError(113, "Connect call failed ('10.0.0.7', 4222)"), "cannot be reached: No route to host"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('10.0.0.7', 4222)"), "cannot be reached"),
    ],
)
def test_addresses_of_the_inside_are_told_to_nobody(problem: OSError, told: str) -> None:
    assert why([problem], Messaging(), "nats://nats.inside:4222") == told
