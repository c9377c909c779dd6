"""Words are cut out of whatever is typed, in time that grows as the text does."""

import pytest

from fechatter.domain.text import few_marks, fold
from fechatter.domain.words import tokens


@pytest.mark.parametrize("pair", ["\u0e48\u0e38", "\u0e38\uff9e", "\uff9f\u0e3a"], ids=ascii)
def test_a_letter_keeps_no_more_marks_than_a_language_has(pair: str) -> None:
    """To sort thousands of them takes a second, in which the whole process stands still."""
    assert sum(len(token.text) for token in tokens("\u0e01" + pair * 8_000)) <= 1 + 30


@pytest.mark.parametrize("pair", ["\u0301\u0323", "\u0f73\u0f71"], ids=ascii)
def test_nor_does_a_folded_name(pair: str) -> None:
    assert len(few_marks("a" + pair * 8_000)) == 1 + 30
    assert len(fold("a" + pair * 8_000)) <= 1 + 2 * 30


@pytest.mark.parametrize("text", ["ที่นี่ไม่มีช่องว่าง" * 20, "e\u0301\u0323" * 200, "が" * 300, "안녕" * 100])
def test_text_as_people_write_it_is_left_as_it_is(text: str) -> None:
    assert few_marks(text) == text
