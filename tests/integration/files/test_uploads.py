"""Uploading: what is taken, what is refused, and what a broken upload leaves behind."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest
from structlog.testing import capture_logs

from tests.integration.files.uploading import (
    BOUNDARY,
    HTML,
    PNG,
    SVG,
    download,
    form,
    image,
    send,
    send_body,
    upload,
)
from tests.support.world import World


async def test_what_was_uploaded_comes_back_byte_for_byte(world: World) -> None:
    (ada,) = await world.people("Ada")
    content = bytes(range(256)) * 5000
    file = await upload(ada, content, "report.bin")
    assert (file.name, file.size, file.sha256) == ("report.bin", len(content), hashlib.sha256(content).hexdigest())
    assert file.url == f"/api/files/{file.id}"
    assert (await download(ada, file)).body == content


async def test_no_bytes_are_a_file(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, b"", "empty.txt")
    answer = await download(ada, file)
    assert (file.size, answer.status, answer.body) == (0, 200, b"")


async def test_content_that_looks_like_a_boundary_is_content(world: World) -> None:
    (ada,) = await world.people("Ada")
    content = f"\r\n--{BOUNDARY[:-1]}\r\n\r--{BOUNDARY}".encode() * 3000
    assert (await download(ada, await upload(ada, content))).body == content


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_an_image_tells_its_size(world: World, format_: str) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, image(format_, (123, 45)), "whatever.txt")
    assert (file.mime_type, file.width, file.height) == (f"image/{format_.lower()}", 123, 45)
    assert file.thumbnail_url == f"/api/files/{file.id}/thumbnail"


async def test_the_type_is_told_by_the_content_whatever_the_name_says(world: World) -> None:
    (ada,) = await world.people("Ada")
    for content, name, mime_type in [
        (HTML, "cute.png", "text/html"),
        (SVG, "logo.png", "image/svg+xml"),
        (PNG, "page.html", "image/png"),
        ("héllo".encode(), "x.exe", "text/plain"),
        (b"MZ\x90\x00\x03", "holiday.jpg", "application/octet-stream"),
    ]:
        assert (await upload(ada, content, name)).mime_type == mime_type, name


async def test_the_workspace_may_stand_in_the_query_or_in_the_form(world: World) -> None:
    (ada,) = await world.people("Ada")
    theirs = await world.new_workspace("Theirs")
    here = str(world.workspace_id)
    assert (await send(ada, PNG, fields={"workspace_id": here})).status == 201
    assert (await send(ada, PNG, query=f"?workspace_id={here}")).status == 201
    (await send(ada, PNG, fields={"workspace_id": str(theirs)})).problem(404, "not_found")
    (await send(ada, PNG, query=f"?workspace_id={theirs}")).problem(404, "not_found")
    both = await send(ada, PNG, query=f"?workspace_id={here}", fields={"workspace_id": str(theirs)})
    both.problem(400, "invalid_request")
    for nonsense in ("x", "0", "-1", "9" * 30, "٣"):
        (await send(ada, PNG, fields={"workspace_id": nonsense})).problem(400, "invalid_request")


async def test_what_is_no_form_with_a_file_is_refused(world: World) -> None:
    (ada,) = await world.people("Ada")
    whole = form(PNG)
    for body, media_type, status, code in [
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (whole, "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (whole, "multipart/form-data", 400, "invalid_request"),
        (whole, "multipart/form-data; boundary=other", 400, "invalid_request"),
        (whole, "multipart/form-data; boundary=" + "x" * 2000, 400, "invalid_request"),
        (b"", None, 400, "invalid_request"),
        (whole[:-4], None, 400, "invalid_request"),
        (whole[: len(whole) // 2], None, 400, "invalid_request"),
        (form(PNG, part="document"), None, 400, "invalid_request"),
        (form(PNG, fields={"color": "red"}), None, 400, "invalid_request"),
        (form(PNG)[: -len(f"--{BOUNDARY}--\r\n")] + form(PNG), None, 400, "invalid_request"),
        (f"--{BOUNDARY}\r\nX: {'y' * 9000}\r\n\r\n".encode(), None, 413, "too_large"),
    ]:
        (await send_body(ada, body, media_type=media_type)).problem(status, code)
    assert await world.db.fetch_value("SELECT count(*) FROM files") == 0


async def test_a_file_beyond_the_limit_is_refused_and_nothing_of_it_stays(world: World) -> None:
    (ada,) = await world.people("Ada")
    limit = world.settings.limits.file_bytes
    assert limit == 2_000_000, "the fixture of this folder sets it"
    assert (await send(ada, b"x" * limit)).status == 201
    (await send(ada, b"x" * (limit + 1))).problem(413, "too_large")
    (await send(ada, b"x" * (limit * 3))).problem(413, "too_large")
    assert (len(files_in(world.settings.data_dir / "files")), files_in(world.settings.data_dir / "incoming")) == (1, [])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_nobody_uploads_who_is_not_signed_in(world: World) -> None:
    (ada,) = await world.people("Ada")
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await world.api.ask("POST", "/api/files", content=form(PNG), headers=headers)
    answer.problem(401, "unauthenticated")
    await world.sign_out(ada)
    (await send(ada, PNG)).problem(401, "unauthenticated")


async def test_a_full_disk_is_a_part_that_is_away_and_the_log_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada,) = await world.people("Ada")
    monkeypatch.setattr("fechatter.files.uploads._open_spool", on_full_disk)
    for size in (100, 1_000_000):
        with capture_logs() as logged:
            answer = await ada.api.try_to_ask(
                "POST",
                "/api/files",
                token=ada.token,
                content=form(bytes(size)),
                headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
            )
        answer.problem(503, "unavailable")
        assert [each["why"] for each in logged if each["event"] == "unavailable"] == [
            "[Errno 28] No space left on device"
        ]


def on_full_disk(_: Path) -> BinaryIO:
    return Path("/dev/full").open("w+b")
