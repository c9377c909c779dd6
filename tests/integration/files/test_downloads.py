"""Downloading: ranges, validators, and headers that keep a file from running in its reader's browser."""

from urllib.parse import unquote

import pytest

from tests.integration.files.uploading import HTML, PNG, SVG, download, image, upload
from tests.support.world import World


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


CONTENT = bytes(range(100))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
    ],
)
async def test_a_range_gives_its_bytes(world: World, asked: str, first: int, last: int) -> None:
    (ada,) = await world.people("Ada")
    answer = await download(ada, await upload(ada, CONTENT), Range=asked)
    assert (answer.status, answer.body) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999999999999-"])
async def test_a_range_beyond_the_end_is_416(world: World, asked: str) -> None:
    (ada,) = await world.people("Ada")
    answer = await download(ada, await upload(ada, CONTENT), Range=asked)
    answer.problem(416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */100"


@pytest.mark.parametrize(
    "asked", ["bytes=", "bytes=-", "bytes=5-4", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b", "x" * 5000]
)
async def test_what_is_no_single_range_gives_everything(world: World, asked: str) -> None:
    (ada,) = await world.people("Ada")
    answer = await download(ada, await upload(ada, CONTENT), Range=asked)
    assert (answer.status, answer.body) == (200, CONTENT)


async def test_who_has_the_file_gets_no_bytes(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, CONTENT)
    etag = (await download(ada, file)).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await download(ada, file, If_None_Match=known)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    assert (await download(ada, file, If_None_Match='"other"')).status == 200


async def test_a_range_of_another_version_gives_everything(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, CONTENT)
    etag = (await download(ada, file)).headers["etag"]
    assert (await download(ada, file, Range="bytes=0-9", If_Range=etag)).status == 206
    assert (await download(ada, file, Range="bytes=0-9", If_Range='"other"')).status == 200
    assert (await download(ada, file, Range="bytes=500-", If_Range='"other"')).status == 200


@pytest.mark.parametrize(
    ("content", "name", "served", "way"),
    [
        (PNG, "a.png", "image/png", "inline"),
        (PNG, "a.html", "image/png", "inline"),
        (image("WEBP"), "a.webp", "image/webp", "inline"),
        (b"%PDF-1.7\n%\xe2\xe3", "a.pdf", "application/pdf", "inline"),
        (b"fLaC\x00\x00\x00\x22" + bytes(40), "a", "audio/flac", "inline"),
        (b"plain words", "a.html", "text/plain; charset=utf-8", "attachment"),
        (HTML, "a.png", "application/octet-stream", "attachment"),
        (SVG, "a.svg", "application/octet-stream", "attachment"),
        (SVG, "a.png", "application/octet-stream", "attachment"),
        (b"\x89PNG\r\n\x1a\n" + HTML, "a.png", "application/octet-stream", "attachment"),
        (b"alert(1)", "a.js", "text/plain; charset=utf-8", "attachment"),
        (b"PK\x03\x04" + bytes(40), "a.zip", "application/zip", "attachment"),
        (b"", "a", "application/octet-stream", "attachment"),
    ],
)
async def test_only_what_runs_nothing_is_shown_in_place(
    world: World, content: bytes, name: str, served: str, way: str
) -> None:
    (ada,) = await world.people("Ada")
    answer = await download(ada, await upload(ada, content, name))
    assert answer.headers["content-type"] == served
    assert answer.headers["content-disposition"].startswith(f"{way}; filename=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["cache-control"].startswith("private")


async def test_the_name_comes_back_in_any_script(world: World) -> None:
    (ada,) = await world.people("Ada")
    for name in ("报告 2026.pdf", 'a"b.txt', "naïve; filename=x.txt", "100%.txt", "😀.png"):
        file = await upload(ada, b"x", name)
        disposition = (await download(ada, file)).headers["content-disposition"]
        plain, _, encoded = disposition.partition("; filename*=UTF-8''")
        assert unquote(encoded) == file.name
        assert plain.isascii()
        assert plain.count('"') == 2
