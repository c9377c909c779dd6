"""File names: what a person called a file, made safe to show, to store and to save.

safe_name   never a path, never invisible, never misleading in its direction
"""

import re
import unicodedata

MOST_BYTES = 200
"""File systems take 255 bytes; what saves a file may add to its name."""
_NAMELESS = "file"
_PATH = re.compile(r"[/\\]")
# What turns the direction of text around makes "exe.gpj" of "jpg.exe"; zero-width joiners stay, scripts need them.
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RESERVED = re.compile(r'[<>:"|?*]')
_MOST_MARKS = re.compile(
    r"((?:[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]){4})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def safe_name(given: str) -> str:
    """The last part of the name given, in NFC, in one line of visible characters, at most 200 bytes of UTF-8.

    An ending of up to 16 characters is kept when the rest is cut.
    """
    name = unicodedata.normalize("NFC", _PATH.split(given)[-1])
    name = _RESERVED.sub("_", _DIRECTION.sub("", name))
    name = _MOST_MARKS.sub(r"\1", "".join(_visible(char) for char in name))
    name = " ".join(name.split()).strip(". ")
    return _cut(name) or _NAMELESS


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Cn", "Co") or char == "\ufeff":
        return ""
    return " " if category in ("Zl", "Zp", "Zs") else char


def _cut(name: str) -> str:
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 16:
        stem, dot, ending = name, "", ""
    room = MOST_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + ending
