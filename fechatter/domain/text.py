"""Text as people write it: what we accept, and how names compare.

check_text     refuse what cannot be stored or sent: NUL and lone surrogates
check_name, check_description, check_email, check_username   the same for what has a shape
fold           the key under which two spellings of a name are the same
few_marks      the same text, ready for unicodedata.normalize, which long rows of accents would keep busy for seconds
username_from  the username that a full name gives
mentioned      the usernames that a text may mention
"""

import re
import unicodedata

from fechatter.domain.errors import InvalidRequest

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f<>,;:\"()\[\]\\]+@[^\s@\x00-\x1f\x7f<>,;:\"()\[\]\\]+")
_MENTION = re.compile(r"(?<![\w@.+-])@([\w.+-]{1,80})", re.UNICODE)
_USERNAME = re.compile(r"[\w+-]+(?:\.[\w+-]+)*", re.UNICODE)
_NOT_IN_USERNAME = re.compile(r"[^\w.+-]+", re.UNICODE)
# Unicode's Bidi_Control: in a name they turn round the text that stands around it.
_TURNS_TEXT = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp", "Mn")
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Hangul fillers and the Braille pattern without dots: letters and symbols by category, nothing to the eye."""
_MARKS = 30
"""In a row: so many keep every language's text whole (Unicode's Stream-Safe Text Format, UAX 15)."""
_MARKS_LATER = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""Marks only once they are normalized."""
USERNAME_CHARS = 64
DESCRIPTION_CHARS = 1024
EMAIL_CHARS = 254


def check_text(field: str, text: str, at_least: int, at_most: int) -> str:
    """Return `text` if it has `at_least` to `at_most` code points and can be stored; else InvalidRequest."""
    if not at_least <= len(text) <= at_most:
        raise InvalidRequest(fields={field: f"must have {at_least} to {at_most} characters, has {len(text)}"})
    if "\x00" in text:
        raise InvalidRequest(fields={field: "must not contain the NUL character"})
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(fields={field: "must not contain lone surrogates"}) from error
    return text


def check_name(field: str, text: str, at_most: int) -> str:
    """Return a name without surrounding space: 1 to `at_most` characters, at least one of them visible.

    Neither control characters nor those that change the direction of text; joiners may stand in it (emoji, Persian).
    """
    name = check_text(field, text, 1, at_most).strip()
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in name) or not any(map(_is_visible, name)):
        raise InvalidRequest(fields={field: "must be one line with visible characters"})
    if _TURNS_TEXT.search(name):
        raise InvalidRequest(fields={field: "must not contain characters that change the direction of text"})
    return name


def check_description(text: str | None) -> str | None:
    """Return a description of up to DESCRIPTION_CHARS, or None for none."""
    return None if text is None else check_text("description", text, 0, DESCRIPTION_CHARS)


def check_email(field: str, text: str) -> str:
    """Return the address if it has the shape of one (local@domain, up to 254 characters)."""
    email = check_text(field, text, 3, EMAIL_CHARS).strip()
    if not _EMAIL.fullmatch(email) or any(unicodedata.category(char) in ("Cc", "Cf") for char in email):
        raise InvalidRequest(fields={field: "must be an email address"})
    return email


def fold(text: str) -> str:
    """The key for comparing without regard to case: Unicode case folding over NFKC (Unicode 3.13, D145)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", few_marks(text)).casefold())


def few_marks(text: str) -> str:
    """The text without the marks after the thirtieth on one letter. Sorting them takes time by the square of their
    number, and nobody else has a turn meanwhile."""
    if len(text) <= 2 * _MARKS or text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) or char in _MARKS_LATER else 0
        if marks <= _MARKS:
            kept.append(char)
    return "".join(kept)


def username_from(fullname: str) -> str:
    """`Ada  Lovelace` → `ada.lovelace`; what cannot stand in a mention is left out. Never empty."""
    spaced = ".".join(fold(fullname).split())
    kept = re.sub(r"\.{2,}", ".", _NOT_IN_USERNAME.sub("", spaced)).strip(".+-")
    return kept[:USERNAME_CHARS].strip(".+-") or "user"


def check_username(field: str, text: str) -> str:
    """Return a username that can be mentioned: letters, digits, `_ + - .`, 1 to 64 characters."""
    username = fold(check_text(field, text, 1, USERNAME_CHARS))
    if not _USERNAME.fullmatch(username):
        raise InvalidRequest(fields={field: "may have letters, digits, _ + - and dots between them"})
    return username


def mentioned(content: str) -> list[str]:
    """Keys of the usernames that `content` may mention, in order, each once.

    A mention may be followed by a full stop, so `@ada.` also stands for `ada`.
    """
    if "@" not in content:
        return []
    keys: dict[str, None] = {}
    for match in _MENTION.finditer(content):
        key = fold(match.group(1))
        keys[key] = None
        if (bare := key.rstrip(".+-")) != key and bare:
            keys[bare] = None
    return list(keys)


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in _UNSEEN and char not in _BLANK_LETTERS
