"""What a file is, told by its bytes; neither its name nor what the sender says of it is asked.

kind_of            the media type and, for images, the size in pixels
is_safe_inline     whether a browser may show it in place; everything else is for saving
served_as          the Content-Type that goes out with it
"""

import struct
from collections.abc import Callable
from typing import BinaryIO, cast

import msgspec
import puremagic

from fechatter.files import dimensions
from fechatter.files.dimensions import Size

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 64 * 1024

# Types that browsers show without running anything, and that cannot be read as another type under `nosniff`.
SAFE_INLINE = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"}
    | {"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4", "audio/aac"}
    | {"video/mp4", "video/webm", "video/ogg", "video/quicktime"}
    | {"application/pdf"}
)
THUMBNAILED = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/tiff"})
_ACTIVE_MARKUP = {
    "image/svg+xml": (b"<svg",),
    "text/html": (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<img", b"<a ", b"<meta"),
    "text/xml": (b"<?xml", b"<xsl:", b"<!doctype", b"<!entity"),
}
# What puremagic may say; other names of the same and what it merely guesses are not taken.
_BELIEVED = frozenset(
    {"application/zip", "application/gzip", "application/x-7z-compressed", "application/x-rar-compressed"}
    | {"application/x-bzip2", "application/x-xz", "application/x-tar", "application/zstd", "application/rtf"}
    | {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/epub+zip"}
    | {"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
    | {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    | {"application/vnd.openxmlformats-officedocument.presentationml.presentation"}
    | {"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"}
    | {"application/vnd.sqlite3", "application/x-sqlite3", "application/postscript"}
    | {"image/tiff", "image/x-icon", "image/heic", "image/vnd.adobe.photoshop", "audio/midi", "audio/amr"}
    | {"video/x-matroska", "video/x-msvideo", "video/mpeg", "font/woff", "font/woff2", "font/ttf", "font/otf"}
)
_ALIASES = {"application/x-gzip": "application/gzip", "application/x-zstd": "application/zstd"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIPPED = {
    b"word/": _OFFICE + "wordprocessingml.document",
    b"xl/": _OFFICE + "spreadsheetml.sheet",
    b"ppt/": _OFFICE + "presentationml.presentation",
}


class Kind(msgspec.Struct, frozen=True):
    """`width` and `height` of an image as it is shown (turned as its camera says), where its header tells."""

    mime_type: str
    width: int | None = None
    height: int | None = None


def kind_of(file: BinaryIO) -> Kind:
    """What `file` holds. Reads little more than its beginning; leaves it at some place."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if (image := _image(file, head)) is not None:
        return image
    mime_type = _signed(head) or _zipped(head) or _markup(head) or _known(head) or _text(head) or UNKNOWN
    return Kind(mime_type)


def is_safe_inline(mime_type: str) -> bool:
    return mime_type in SAFE_INLINE


def has_thumbnail(kind: Kind) -> bool:
    return kind.mime_type in THUMBNAILED


def served_as(mime_type: str) -> str:
    """Markup that could run goes out as text to be saved, so that no setting of a browser makes a page of it."""
    if mime_type in SAFE_INLINE or mime_type in _BELIEVED:
        return mime_type
    return mime_type if mime_type == "text/plain" else UNKNOWN


def _image(file: BinaryIO, head: bytes) -> Kind | None:
    """An image is what has an image's header with a size; a signature alone is not enough."""
    for mime_type, matches, measure in _IMAGES:
        if matches(head):
            size = measure(file)
            return Kind(mime_type, size.width, size.height) if size else Kind(UNKNOWN)
    return None


def _signed(head: bytes) -> str | None:
    """Types that may be shown in place, by signatures strict enough to be believed."""
    if head.startswith((b"%PDF-1.", b"%PDF-2.")):
        return "application/pdf"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"fLaC\x00\x00\x00\x22"):
        return "audio/flac"
    if head.startswith(b"OggS\x00"):
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith((b"ID3\x02", b"ID3\x03", b"ID3\x04")) or _is_mpeg_frame(head):
        return "audio/mpeg"
    return _iso_media(head)


def _iso_media(head: bytes) -> str | None:
    if head[4:8] != b"ftyp" or len(head) < 16 or not 16 <= struct.unpack(">I", head[:4])[0] <= 512:
        return None
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return "image/avif"
    if brand in (b"heic", b"heix", b"mif1", b"msf1"):
        return "image/heic"
    if brand in (b"M4A ", b"M4B "):
        return "audio/mp4"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _is_mpeg_frame(head: bytes) -> bool:
    """Two MPEG audio frames of layer III in a row: their sync pattern alone is no proof."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, bits, rate, padding = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or bits in (0, 15) or rate == 3:
        return False
    kbits = _MPEG1_KBITS[bits] if version == 3 else _MPEG2_KBITS[bits]
    hertz = (44100, 48000, 32000)[rate] >> (3 - version if version else 2)
    length = (144 if version == 3 else 72) * kbits * 1000 // hertz + padding
    return head[length : length + 1] == b"\xff" and head[length + 1] & 0xE6 == 0xE2


_MPEG1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_MPEG2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)


def _zipped(head: bytes) -> str | None:
    """An archive, or one of the office formats that are one: those name their parts near the beginning."""
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if head[30:38] == b"mimetype":
        declared = head[38:120].split(b"PK")[0].decode("ascii", "replace")
        return declared if declared in _BELIEVED else "application/zip"
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        return next(
            (kind for part, kind in _ZIPPED.items() if b"PK\x03\x04" in head and part in head), "application/zip"
        )
    return "application/zip"


def _markup(head: bytes) -> str | None:
    """Markup by its looks, as a lenient browser would see it: whatever stands before the first tag."""
    text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lower()
    if text.lstrip()[:1] != b"<":
        return None
    found = [(text.find(mark), kind) for kind, marks in _ACTIVE_MARKUP.items() for mark in marks if mark in text]
    kinds = {kind for _, kind in found}
    if "text/html" in kinds and not ("image/svg+xml" in kinds and text.find(b"<svg") < _first(found, "text/html")):
        return "text/html"
    return "image/svg+xml" if "image/svg+xml" in kinds else next(iter(kinds), None)


def _first(found: list[tuple[int, str]], kind: str) -> int:
    return min(place for place, each in found if each == kind)


def _known(head: bytes) -> str | None:
    """Types for saving: what puremagic says, if it is one of those that we name."""
    try:
        matches = cast("list[object]", puremagic.magic_string(head))  # pyright: ignore[reportUnknownMemberType]
    except (puremagic.PureError, ValueError, IndexError, struct.error, OverflowError, RecursionError):
        return None
    names = (str(getattr(match, "mime_type", "")) for match in matches)
    return next((_ALIASES.get(name, name) for name in names if _ALIASES.get(name, name) in _BELIEVED), None)


def _text(head: bytes) -> str | None:
    """Text is UTF-8 without control characters other than those that lay it out."""
    if not head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in set(head)):
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 4:
            return None
    return "text/plain"


_IMAGES: tuple[tuple[str, Callable[[bytes], bool], Callable[[BinaryIO], Size | None]], ...] = (
    ("image/png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), dimensions.of_png),
    ("image/jpeg", lambda head: head.startswith(b"\xff\xd8\xff"), dimensions.of_jpeg),
    ("image/gif", lambda head: head.startswith((b"GIF87a", b"GIF89a")), dimensions.of_gif),
    ("image/webp", lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", dimensions.of_webp),
    ("image/bmp", lambda head: head.startswith(b"BM") and head[6:10] == b"\0\0\0\0", dimensions.of_bmp),
)
