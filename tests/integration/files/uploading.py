"""Uploads as a browser sends them, and the bytes to send.

send          one multipart upload, its answer
upload        the same, when it must succeed
download      the bytes of a file, with whatever headers
PNG, …        small real files
image         an image of a size, in a format
"""

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

from tests.clients.api import Answer, Person
from tests.clients.shapes import File

HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
BOUNDARY = "fe-chatter-boundary"


def image(format_: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(made, format_, **options)
    return made.getvalue()


PNG = image()


def form(content: bytes, name: str = "a.bin", fields: Mapping[str, str] | None = None, part: str = "file") -> bytes:
    """A multipart body with BOUNDARY."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in (fields or {}).items()
    ]
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{quoted}"\r\n'
    lied = "Content-Type: image/png\r\n\r\n"
    return b"".join(parts) + head.encode() + lied.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


async def send(
    person: Person, content: bytes, name: str = "a.bin", *, query: str = "", fields: Mapping[str, str] | None = None
) -> Answer:
    return await send_body(person, form(content, name, fields), query=query)


async def send_body(person: Person, body: bytes, *, query: str = "", media_type: str | None = None) -> Answer:
    headers = {"Content-Type": media_type or f"multipart/form-data; boundary={BOUNDARY}"}
    return await person.api.ask("POST", f"/api/files{query}", token=person.token, content=body, headers=headers)


async def upload(person: Person, content: bytes = PNG, name: str = "a.png", **options: Any) -> File:
    return (await send(person, content, name, **options)).json(File, 201)


async def download(person: Person, file: File, *, what: str = "", **headers: str) -> Answer:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return await person.api.ask("GET", f"/api/files/{file.id}{what}", token=person.token, headers=sent)
