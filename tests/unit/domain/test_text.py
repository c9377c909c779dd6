"""Names can be seen and stay within themselves; addresses hide nothing."""

import pytest

from fechatter.domain.errors import InvalidRequest
from fechatter.domain.text import check_email, check_name

BIDI_CONTROLS = [chr(code) for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
UNSEEN = [chr(code) for code in (0xAD, 0x200B, 0x200D, 0x2060, 0xFEFF, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x301)]


@pytest.mark.parametrize("name", [" ", "\u3000", *UNSEEN, "".join(UNSEEN), "\u3164 \u200b"], ids=ascii)
def test_a_name_that_nobody_can_see_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_name("fullname", name, 64)
    assert refused.value.fields == {"fullname": "must be one line with visible characters"}


@pytest.mark.parametrize("char", BIDI_CONTROLS, ids=ascii)
def test_a_name_that_turns_text_round_is_refused(char: str) -> None:
    for name in (f"{char}evil", f"Ada{char}Lovelace", f"Ada{char}"):
        with pytest.raises(InvalidRequest) as refused:
            check_name("fullname", name, 64)
        assert refused.value.fields == {"fullname": "must not contain characters that change the direction of text"}


@pytest.mark.parametrize("name", ["two\nlines", "a\x1bb", "a\x85b", "a\u2028b"], ids=ascii)
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_name("name", name, 64)
    assert "name" in refused.value.fields


@pytest.mark.parametrize(
    "name",
    ["Ada", "李 雷", "\U0001f469\u200d\U0001f4bb", "می\u200cخواهم", "שרה", "e\u0301", "한글", "."],
    ids=ascii,
)
def test_names_of_all_the_world_are_kept_as_they_are(name: str) -> None:
    assert check_name("fullname", f" {name}\u3000", 64) == name


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u202e", "\ufeff", "\xad", "\x85"], ids=ascii)
def test_an_address_hides_nothing(hidden: str) -> None:
    for address in (f"a{hidden}da@example.org", f"ada@exam{hidden}ple.org", f"ada@example.org{hidden}x"):
        with pytest.raises(InvalidRequest) as refused:
            check_email("email", address)
        assert refused.value.fields == {"email": "must be an email address"}


def test_an_address_may_be_in_any_script() -> None:
    assert check_email("email", " Ünï.李@例え.jp ") == "Ünï.李@例え.jp"
