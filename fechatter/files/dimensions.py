"""How large an image is shown, from its header alone: nothing is decoded, so nothing can blow up.

of_png, of_jpeg, of_gif, of_webp, of_bmp    None for a header that is not one
"""

import struct
from typing import BinaryIO

import msgspec

MOST = 1 << 24
_JPEG_SEGMENTS = 512
_ORIENTATION = 0x0112


class Size(msgspec.Struct, frozen=True):
    width: int
    height: int


def of_png(file: BinaryIO) -> Size | None:
    header = _read(file, 0, 24)
    return _size(*struct.unpack(">II", header[16:24])) if len(header) == 24 and header[12:16] == b"IHDR" else None


def of_gif(file: BinaryIO) -> Size | None:
    header = _read(file, 6, 4)
    return _size(*struct.unpack("<HH", header)) if len(header) == 4 else None


def of_bmp(file: BinaryIO) -> Size | None:
    header = _read(file, 14, 12)
    if len(header) < 12 or not 40 <= struct.unpack("<I", header[:4])[0] <= 124:
        return None
    width, height = struct.unpack("<ii", header[4:12])
    return _size(width, abs(height))


def of_webp(file: BinaryIO) -> Size | None:
    header = _read(file, 12, 18)
    if len(header) < 18:
        return None
    if header[:4] == b"VP8 " and header[11:14] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", header[14:18])
        return _size(width & 0x3FFF, height & 0x3FFF)
    if header[:4] == b"VP8L" and header[8] == 0x2F:
        bits = int.from_bytes(header[9:13], "little")
        return _size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if header[:4] == b"VP8X":
        return _size(int.from_bytes(header[12:15], "little") + 1, int.from_bytes(header[15:18], "little") + 1)
    return None


def of_jpeg(file: BinaryIO) -> Size | None:
    """Walks the segments up to the frame; an EXIF orientation that turns the image swaps its sides."""
    at, turned = 2, False
    for _ in range(_JPEG_SEGMENTS):
        head = _read(file, at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, length = head[1], struct.unpack(">H", head[2:4])[0]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", _read(file, at + 5, 4).ljust(4, b"\0"))
            return _size(height, width) if turned else _size(width, height)
        if marker in (0xD9, 0xDA) or length < 2:
            return None
        if marker == 0xE1:
            turned = _is_turned(_read(file, at + 4, length - 2))
        at += 2 + length
    return None


def _is_turned(segment: bytes) -> bool:
    """Whether an EXIF segment says that the image lies on its side (orientations 5 to 8)."""
    tiff = segment.removeprefix(b"Exif\0\0")
    if tiff is segment or len(tiff) < 8 or tiff[:2] not in (b"II", b"MM"):
        return False
    order = "<" if tiff[:2] == b"II" else ">"
    start: int = struct.unpack(order + "I", tiff[4:8])[0]
    entries = tiff[start + 2 : start + 2 + 12 * 64]
    for at in range(0, len(entries) - 11, 12):
        tag, kind, _, value = struct.unpack(order + "HHIH", entries[at : at + 10])
        if (tag, kind) == (_ORIENTATION, 3):
            return 5 <= value <= 8
    return False


def _size(width: int, height: int) -> Size | None:
    return Size(width, height) if 0 < width <= MOST and 0 < height <= MOST else None


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
