"""Files that are two things at once: whatever they are taken for, nothing of them runs in the reader's browser."""

import io
import zipfile
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, PngImagePlugin

from fechatter.files.kinds import is_safe_inline
from tests.integration.files.uploading import HTML, SVG, download, image, upload
from tests.support.world import World

INERT = {"text/plain", "application/octet-stream", "application/zip", "application/gzip"}


def png_with_script() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", HTML.decode())
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG", pnginfo=notes)
    return made.getvalue()


def zip_bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(20_000_000))
    return made.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "GIF and JavaScript": lambda: b"GIF89a/*\x00\x00" + bytes(4) + b"*/=1;alert(document.domain)//",
    "GIF with a size and JavaScript": lambda: b"GIF89a=1;alert(1)//" + bytes(40),
    "JPEG and HTML": lambda: image("JPEG") + HTML,
    "JPEG comment with HTML": lambda: b"\xff\xd8\xff\xfe\x00\x40" + HTML.ljust(62) + image("JPEG")[2:],
    "PNG with HTML in a note": png_with_script,
    "PNG signature and HTML": lambda: b"\x89PNG\r\n\x1a\n" + HTML,
    "BMP and JavaScript": lambda: b"BM=1;/*\x00\x00\x00" + bytes(30) + b"*/alert(1)",
    "PDF and HTML": lambda: b"%PDF-1.7\n" + HTML,
    "HTML before PDF": lambda: HTML + b"\n%PDF-1.7\n",
    "HTML as text": lambda: b"just words, then " + HTML,
    "HTML after white space": lambda: b" \r\n\t" * 100 + HTML,
    "HTML after a byte order mark": lambda: b"\xef\xbb\xbf" + HTML,
    "HTML in UTF-16": lambda: HTML.decode().encode("utf-16"),
    "HTML in UTF-7": lambda: b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "HTML after 64 KiB": lambda: b"a" * 70_000 + HTML,
    "HTML after NUL": lambda: b"\x00\x00" + HTML,
    "a comment, then HTML": lambda: b"<!-- x -->" + HTML,
    "SVG": lambda: SVG,
    "SVG without its first line": lambda: SVG.partition(b"?>")[2],
    "XML with a style sheet": lambda: b'<?xml version="1.0"?><?xml-stylesheet href="javascript:alert(1)"?><a/>',
    "XML bomb": lambda: b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    "JavaScript": lambda: b"alert(1)",
    "a service worker": lambda: b"self.addEventListener('fetch', e => e.respondWith(new Response('x')))",
    "CSS": lambda: b"body{background:url(javascript:alert(1))}",
    "Flash": lambda: b"FWS\x06" + bytes(40),
    "WebAssembly": lambda: b"\x00asm\x01\x00\x00\x00",
    "Windows program": lambda: b"MZ\x90\x00" + bytes(60),
    "shell script": lambda: b"#!/bin/sh\nrm -rf /\n",
    "Java archive and GIF": lambda: image("GIF") + zip_bomb()[:200],
    "zip bomb": zip_bomb,
    "deflate bomb": lambda: zlib.compress(bytes(50_000_000)),
    "multipart form in a file": lambda: b"--fe-chatter\r\nContent-Disposition: form-data; name=file\r\n\r\n",
}


@pytest.mark.parametrize("name", FILES)
async def test_nothing_of_it_runs(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    content = FILES[name]()
    file = await upload(ada, content, "picture.png")
    answer = await download(ada, file)
    assert answer.body == content
    media_type = answer.headers["content-type"].partition(";")[0]
    way = answer.headers["content-disposition"].partition(";")[0]
    assert way == ("inline" if is_safe_inline(media_type) else "attachment")
    assert is_safe_inline(media_type) or media_type in INERT, media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("name", [name for name in FILES if "HTML" in name or "SVG" in name or "XML" in name])
async def test_markup_is_never_called_markup_to_a_browser(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    answer = await download(ada, await upload(ada, FILES[name](), "page.html"))
    assert not any(word in answer.headers["content-type"] for word in ("html", "svg", "xml", "script", "css"))
