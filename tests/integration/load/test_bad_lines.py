"""A bad line is reported with its number and reason, and skipped."""

import gzip
import io
from pathlib import Path

import pytest

from fechatter.config import Settings
from fechatter.domain.errors import OperatorError
from tests.integration.load.corpus import ask, line, load, with_content_limit, write

GOOD = line("good")
BAD: dict[str, tuple[str | bytes, str]] = {
    "not JSON": ("hello", "is not JSON"),
    "cut off": (GOOD[:30], "is not JSON"),
    "a list": ("[]", "expected object, got array"),
    "a number for a text": (
        '{"room": "a", "author": "b", "sent_at": "2015-03-01T12:00:00Z", "text": 7}',
        "text: expected",
    ),
    "a missing field": ('{"room": "a", "author": "b", "text": "c"}', "missing required field sent_at"),
    "NUL": (line("a\x00b"), "must not contain the NUL character"),
    "a lone surrogate": (line("x").replace('"x"', r'"\ud83d!"'), "lone surrogates"),
    "bytes that are not UTF-8": (line("x").encode().replace(b'"x"', b'"\xff"'), "is not UTF-8"),
    "a byte order mark within": (line("x").replace(": ", ":\ufeff", 1), "is not JSON"),
    "two byte order marks": ("\ufeff\ufeff" + line("x"), "is not JSON"),
    "UTF-16": (line("x").encode("utf-16-le"), "is not JSON"),
    "an empty text": (line(""), "text must have 1 to 16384 characters"),
    "a text too long": (line("字" * 16_385), "has 16385"),
    "no date": (line(sent_at="yesterday"), "sent_at: invalid"),
    "a day that is not": (line(sent_at="2015-02-30T00:00:00Z"), "sent_at: invalid"),
    "a time without zone": (line(sent_at="2015-03-01T12:00:00"), "no time zone"),
    "a time before the first year": (line(sent_at="0001-01-01T00:00:00+14:00"), "out of range"),
    "an empty room": (line(room=" "), "room must"),
    "a room too long": (line(room="r" * 129), "room must have 1 to 128 characters"),
    "an author too long": (line(author="a" * 65), "author must have 1 to 64 characters"),
    "an author of control characters": (line(author="a\x1bb"), "author must be one line"),
    "a line without an end": (b"{" * 3_000_000, "is longer than"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_line_is_named_and_the_rest_loaded(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    content, reason = BAD[kind]
    assert load(settings, write(tmp_path / "history", ["", GOOD, content, line("also good")])) == 0
    said = capsys.readouterr()
    assert "line 3: " in said.err
    assert reason in said.err
    assert "1 bad lines were skipped" in said.out
    assert ask(settings.server.db_url, "SELECT count(*) FROM messages") == [(2,)]


def test_the_longest_text_and_foreign_names_are_good(settings: Settings, tmp_path: Path) -> None:
    lines = [
        line("字" * 16_384, room="闲聊 #1", author="李 雷"),
        line("\U0001f469‍\U0001f4bb", author='a"@<b>'),
        line("x" * 9_000, author="." * 64),
    ]
    assert load(settings, write(tmp_path / "history", [b"\xef\xbb\xbf" + lines[0].encode(), *lines[1:]])) == 0
    assert ask(settings.server.db_url, "SELECT max(length(content)), count(*) FROM messages") == [(16_384, 3)]


def test_a_byte_order_mark_before_a_line_is_passed_over(settings: Settings, tmp_path: Path) -> None:
    """A file may begin with one, and so may each file of those that were put together."""
    lines = ["\ufeff" + line("one"), line("two"), "\ufeff" + line("three"), "\ufeff"]
    assert load(settings, write(tmp_path / "history", lines)) == 0
    assert ask(settings.server.db_url, "SELECT count(*) FROM messages") == [(3,)]


def test_limits_are_those_of_the_settings(settings: Settings, tmp_path: Path) -> None:
    assert load(with_content_limit(settings, 3), write(tmp_path / "history", [line("four"), line("two")])) == 0
    assert ask(settings.server.db_url, "SELECT content FROM messages") == [("two",)]


def test_a_file_of_bad_lines_is_an_error(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="Nothing to load: 2 bad lines"):
        load(settings, write(tmp_path / "history", ["a", "b"]))
    with pytest.raises(OperatorError, match="Nothing to load"):
        load(settings, write(tmp_path / "empty", []))


def test_what_stands_before_the_damage_of_an_archive_is_loaded(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as archive:
        archive.write(f"{GOOD}\n".encode())
        archive.flush()
        archive.write(f"{line('lost')}\n".encode())
    path = tmp_path / "history.gz"
    path.write_bytes(packed.getvalue()[:-12])
    assert load(settings, path) == 0
    assert "line 2: the archive is damaged from here on" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(settings: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatorError, match="cannot be read"):
        load(settings, tmp_path / name)
