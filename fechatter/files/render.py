"""Make one thumbnail: a program of its own, since images are what parsers are attacked with.

Reads an image from stdin; writes width and height (two 32-bit numbers, as the image is shown) and a WebP to stdout.
Ends with a code other than 0, and a word on stderr, for what is no image or too much of one. It gives up its rights
and sets itself limits before it looks at the first byte.
"""

import copy
import os
import resource
import struct
import sys
import warnings

from PIL import Image, ImageOps

SIDE = 512
MOST_PIXELS = 100_000_000
MEMORY = 1 << 30
CPU_S = 20
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
NOBODY = 65_534
_NEEDED_LATER = (copy,)  # Pillow imports it while it reads a GIF, when modules cannot be read any more
ORIENTATION = 0x0112


def main() -> None:
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    Image.init()  # loads the formats' modules, which later could not be read any more
    _confine()
    with Image.open(sys.stdin.buffer, formats=FORMATS) as image:
        width, height = _shown_size(image)
        image.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG is decoded at a fraction of its size
        small = _small(image)
    sys.stdout.buffer.write(struct.pack(">II", width, height))
    small.save(sys.stdout.buffer, "WEBP", quality=80, method=4)


def _shown_size(image: Image.Image) -> tuple[int, int]:
    """Turned as the camera says."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ValueError("too many pixels")
    return (height, width) if image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8) else (width, height)


def _small(image: Image.Image) -> Image.Image:
    """The first frame, within a square of SIDE; nothing of what the file says besides its pixels."""
    image.seek(0)
    has_alpha = image.has_transparency_data
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    turned = ImageOps.exif_transpose(image).convert("RGBA" if has_alpha else "RGB")
    plain = Image.new(turned.mode, turned.size)
    plain.paste(turned)
    return plain


def _confine() -> None:
    os.nice(10)
    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


if __name__ == "__main__":
    main()
