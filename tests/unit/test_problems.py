"""Both services tell of an error in the same words."""

import msgspec
import pytest

from fechatter.domain.errors import DomainError, InvalidRequest, RateLimited, TokenExpired, Unavailable
from fechatter.notify import answers
from fechatter.notify.request import Request
from fechatter.server.problems import problem_answer

ERRORS = [
    InvalidRequest(fields={"q": "is required"}),
    TokenExpired(),
    RateLimited(7, 50),
    Unavailable(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_problem_with_the_same_head_from_either_service(error: DomainError) -> None:
    status, body, headers = problem_answer(error, "my-id")
    head, _, told = answers.problem(Request("GET", "/", {}, {}, True, "", "my-id"), error).partition(b"\r\n\r\n")
    first, *lines = head.lower().split(b"\r\n")
    assert int(first.split()[1]) == status == error.status
    assert msgspec.json.decode(told) == msgspec.json.decode(body)
    assert {b"%b: %b" % (name, value.lower()) for name, value in headers} <= set(lines)


def test_who_is_turned_away_for_a_while_hears_when_to_come_again() -> None:
    for error, seconds in ((RateLimited(7, 50), b"7"), (Unavailable(), b"1")):
        assert (b"retry-after", seconds) in problem_answer(error, "my-id")[2]
