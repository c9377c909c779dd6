"""Large, slow and broken uploads to a real server: bounded memory, and nothing stays of what did not come whole."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.clients.api import Api, Person
from tests.clients.shapes import File
from tests.integration.files.uploading import BOUNDARY, PNG, form
from tests.support.stack import Stack
from tests.support.waiting import eventually, wait_until

MIB = 1024 * 1024
MOST_GROWTH = 64 * MIB
HEAD, TAIL = form(b"|", "large.bin").split(b"|", 1)
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
async def ada(shared_stack: Stack) -> AsyncGenerator[Person]:
    async with Api(shared_stack.api_url) as api:
        yield await api.sign_up("Ada")


@asynccontextmanager
async def connection(stack: Stack) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.api_port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the loop closes it in its next round


def opening(person: Person, *headers: str) -> bytes:
    lines = ["POST /api/files HTTP/1.1", "Host: x", f"Authorization: Bearer {person.token}"]
    lines += [f"{name}: {value}" for name, value in FORM.items()]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


async def pieces(count: int) -> AsyncGenerator[bytes]:
    """`count` MiB as a file, sent without a Content-Length."""
    yield HEAD
    for n in range(count):
        yield bytes([n % 256]) * MIB
    yield TAIL


def peak(stack: Stack) -> int:
    """The most memory that the server has ever had, in bytes."""
    status = Path(f"/proc/{stack.pid('fechatter_server')}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def spools(stack: Stack) -> list[str]:
    """Files without a name that the server holds open: uploads under way."""
    return [link for link in _links(Path(f"/proc/{stack.pid('fechatter_server')}/fd")) if "/incoming/" in link]


def _links(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        try:
            yield os.readlink(path)
        except FileNotFoundError:
            continue


async def stored(stack: Stack) -> set[Path]:
    """Bytes that are kept, once the worker has nothing to make of what others have uploaded before."""
    connection = await asyncpg.connect(stack.database_url)

    async def nothing_is_due() -> bool:
        return not await connection.fetchval("SELECT count(*) FROM files WHERE thumbnail_due IS NOT NULL")

    try:
        await eventually(nothing_is_due, "no thumbnail is due")
    finally:
        await connection.close()
    return {path for path in (stack.data_dir / "files").rglob("*") if path.is_file()}


async def test_100_mib_go_through_in_bounded_memory_both_ways(shared_stack: Stack, ada: Person) -> None:
    async with httpx2.AsyncClient(base_url=shared_stack.api_url, timeout=120) as client:
        bearer = {"Authorization": f"Bearer {ada.token}"}
        small = await client.post("/api/files", content=form(b"x"), headers=bearer | FORM)
        assert small.status_code == 201
        before = peak(shared_stack)
        answer = await client.post("/api/files", content=pieces(100), headers=bearer | FORM)
        assert answer.status_code == 201, answer.text
        assert peak(shared_stack) - before < MOST_GROWTH
        digest = hashlib.sha256()
        async with client.stream("GET", answer.json()["url"], headers=bearer) as download:
            async for piece in download.aiter_bytes():
                digest.update(piece)
        assert digest.hexdigest() == answer.json()["sha256"]
        assert peak(shared_stack) - before < MOST_GROWTH


async def test_one_byte_more_is_413_also_when_its_length_is_not_told(shared_stack: Stack, ada: Person) -> None:
    before = await stored(shared_stack)
    async with httpx2.AsyncClient(base_url=shared_stack.api_url, timeout=120) as client:
        answer = await client.post(
            "/api/files", content=pieces(101), headers=FORM | {"Authorization": f"Bearer {ada.token}"}
        )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert await stored(shared_stack) <= before
    wait_until(lambda: not spools(shared_stack), "the spool is closed")


async def test_a_length_that_is_too_large_is_refused_before_the_body_is_sent(shared_stack: Stack, ada: Person) -> None:
    async with connection(shared_stack) as (reader, writer):
        writer.write(opening(ada, f"Content-Length: {10**15}"))
        assert b" 413 " in await reader.readline()


@pytest.mark.parametrize("told", [f"Content-Length: {50 * MIB}", "Transfer-Encoding: chunked"])
async def test_nothing_stays_of_an_upload_that_is_broken_off(shared_stack: Stack, ada: Person, told: str) -> None:
    before = await stored(shared_stack)
    async with connection(shared_stack) as (_, writer):
        content = HEAD + b"x" * (3 * MIB)
        writer.write(opening(ada, told) + (chunk(content) if "chunked" in told else content))
        await writer.drain()
        wait_until(lambda: spools(shared_stack), "the upload is under way")
    wait_until(lambda: not spools(shared_stack), "the spool is closed")
    assert await stored(shared_stack) <= before
    assert not list((shared_stack.data_dir / "incoming").iterdir())


async def test_a_body_shorter_than_its_form_is_400(shared_stack: Stack, ada: Person) -> None:
    async with connection(shared_stack) as (reader, writer):
        content = HEAD + b"x" * 1000
        writer.write(opening(ada, f"Content-Length: {len(content)}") + content)
        assert b" 400 " in await reader.readline()


async def test_slow_uploads_do_not_slow_others(shared_stack: Stack, ada: Person) -> None:
    async with connection(shared_stack) as (_, writer):
        writer.write(opening(ada, f"Content-Length: {50 * MIB}") + HEAD + b"x")
        await writer.drain()
        wait_until(lambda: spools(shared_stack), "the upload is under way")
        answer = await ada.api.ask("POST", "/api/files", token=ada.token, content=form(b"quick"), headers=FORM)
        assert answer.status == 201
    wait_until(lambda: not spools(shared_stack), "the spool is closed")


async def test_the_worker_of_up_makes_thumbnails(shared_stack: Stack, ada: Person) -> None:
    answer = await ada.api.ask("POST", "/api/files", token=ada.token, content=form(PNG, "a.png"), headers=FORM)
    address = answer.json(File, 201).thumbnail_url or ""
    for _ in range(300):
        answer = await ada.ask("GET", address)
        if answer.status != 404:
            break
        await asyncio.sleep(0.1 * int(answer.headers["retry-after"]))
    assert answer.headers["content-type"] == "image/webp"
