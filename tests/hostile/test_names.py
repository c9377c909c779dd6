"""File names that somebody chose with care."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.files.names import MOST_BYTES, safe_name
from tests.integration.files.uploading import upload
from tests.support.world import World

NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "/etc/shadow": "shadow",
    "C:\\fakepath\\holiday.jpg": "holiday.jpg",
    "..": "file",
    ".": "file",
    "": "file",
    "   ": "file",
    "/": "file",
    "a\x00b.png": "ab.png",
    "a\r\nSet-Cookie: x=y.png": "aSet-Cookie_ x=y.png",
    "line\u2028separator.txt": "line separator.txt",
    "photo\u202egpj.exe": "photogpj.exe",
    "\u2066hidden\u2069.txt": "hidden.txt",
    "\ufeffbom.txt": "bom.txt",
    'quote".html': "quote_.html",
    "<script>.html": "_script_.html",
    "con:aux|nul?.txt": "con_aux_nul_.txt",
    "trailing. . .": "trailing",
    "a" * 500 + ".png": "a" * (MOST_BYTES - 4) + ".png",
    "文" * 200 + ".docx": "文" * 65 + ".docx",
    "😀" * 100: "😀" * 50,
    "e\u0301.txt": "é.txt",
    "z" + "\u0300" * 300 + "algo.txt": "z" + "\u0300" * 4 + "algo.txt",
    "👩\u200d👩\u200d👧.png": "👩\u200d👩\u200d👧.png",
    "x\ud800y.txt": "xy.txt",
    "\ue000private.txt": "private.txt",
    "tab\tbed.txt": "tabbed.txt",
    "résumé — final (2).pdf": "résumé — final (2).pdf",
}


@pytest.mark.parametrize("given_", NAMES)
def test_a_name_is_made_safe(given_: str) -> None:
    assert safe_name(given_) == NAMES[given_]


@given(st.text(st.characters(), max_size=400))
def test_whatever_it_was_it_is_one_visible_line_of_bounded_length(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..")
    assert len(safe.encode()) <= MOST_BYTES
    assert not set(safe) & set('/\\<>:"|?*')
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in safe)
    assert not any(
        unicodedata.bidirectional(char) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
        for char in safe
    )
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    "given_", ["../../etc/passwd", 'a"b\\c.png', "photo\u202egpj.exe", "报告.pdf", "😀" * 100, "\u2028"]
)
async def test_an_upload_has_a_safe_name_and_its_header_holds_one_line(world: World, given_: str) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, b"x", given_)
    assert safe_name(file.name) == file.name
    answer = await ada.ask("GET", file.url)
    assert answer.headers.get_list("content-disposition") == [answer.headers["content-disposition"]]
    assert not set("\r\n\0") & set(answer.headers["content-disposition"])
