"""Storage: the same promises on a folder and on a real S3 server."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fechatter.cli import doctor
from fechatter.config import Files, Loaded, Settings
from fechatter.domain.errors import NotFound, OperatorError, Unavailable
from fechatter.files.cleaning import clean_up
from fechatter.files.storage import PIECE, Storage, new_key, open_storage
from fechatter.files.thumbnails import make_due
from tests.integration.files.uploading import download, image, upload
from tests.support.ports import free_port
from tests.support.s3 import S3Server
from tests.support.world import World

Keys = Callable[[], list[str]]


def on_disk(folder: Path) -> tuple[Storage, Keys]:
    storage = open_storage(Settings(data_dir=folder))
    return storage, lambda: [path.name for path in (folder / "files").rglob("*") if path.is_file()]


def on_s3(server: S3Server, folder: Path) -> tuple[Storage, Keys]:
    files = server.files()
    return open_storage(Settings(data_dir=folder, files=files)), lambda: server.keys(files)


@pytest.fixture(params=["disk", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Storage, Keys]:
    """A storage, and what tells which objects it holds."""
    return on_disk(tmp_path) if request.param == "disk" else on_s3(request.getfixturevalue("s3"), tmp_path)


async def whole(storage: Storage, key: str, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in storage.read(key, start, stop)])


async def test_what_was_put_can_be_read_in_stretches(place: tuple[Storage, Keys]) -> None:
    storage, _ = place
    content = bytes(range(256)) * (12 * 4096)  # in more than one part, and in more than one piece
    key = new_key(7)
    await storage.put(key, io.BytesIO(content))
    assert await whole(storage, key, 0, len(content)) == content
    assert await whole(storage, key, PIECE - 3, PIECE * 2 + 5) == content[PIECE - 3 : PIECE * 2 + 5]
    assert await storage.get(key) == content


async def test_no_bytes_are_an_object(place: tuple[Storage, Keys]) -> None:
    storage, keys = place
    await storage.put("a/b", io.BytesIO())
    assert await storage.get("a/b") == b""
    assert len(keys()) == 1


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(place: tuple[Storage, Keys]) -> None:
    storage, keys = place
    await storage.put("a/b", io.BytesIO(b"x"))
    await storage.put("a/c", io.BytesIO(b"y"))
    await storage.delete(["a/b", "a/none"])
    await storage.delete(["a/b"])
    with pytest.raises(NotFound):
        await storage.get("a/b")
    with pytest.raises(NotFound):
        await whole(storage, "a/b", 0, 1)
    assert len(keys()) == 1


async def test_a_bucket_that_is_away_is_unavailable(tmp_path: Path) -> None:
    files = Files(
        url="s3://bucket", endpoint=f"http://127.0.0.1:{free_port()}", access_key_id="a", secret_access_key="b"
    )
    storage = open_storage(Settings(data_dir=tmp_path, files=files))
    with pytest.raises(Unavailable):
        await storage.get("a")


@pytest.mark.parametrize("url", ["http://bucket", "s3://", "bucket", "/folder"])
def test_an_address_that_is_none_stops_the_program(tmp_path: Path, url: str) -> None:
    with pytest.raises(OperatorError, match="s3://"):
        open_storage(Settings(data_dir=tmp_path, files=Files(url=url)))


async def test_the_whole_way_of_a_file_on_s3(settings: Settings, s3: S3Server) -> None:
    on_bucket = replace(settings, files=s3.files())
    async with World.open(on_bucket) as world:
        (ada,) = await world.people("Ada")
        content = image("BMP", (700, 900))
        file = await upload(ada, content)
        assert (await download(ada, file)).body == content
        assert (await download(ada, file, Range="bytes=10-99")).body == content[10:100]
        storage = open_storage(on_bucket)
        assert await make_due(world.db, storage) == 1
        assert (await download(ada, file, what="/thumbnail")).status == 200
        assert len(s3.keys(on_bucket.files)) == 2
        assert not (settings.data_dir / "files").exists()
        await world.db.fetch("UPDATE files SET idle_since = '-infinity'")
        await clean_up(world.db, storage)
        assert s3.keys(on_bucket.files) == []


def test_the_doctor_tries_the_bucket_as_an_upload_would(
    settings: Settings, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    files = s3.files()
    doctor.run(Loaded(replace(settings, files=files), ()))
    assert f"{files.url}: stores and deletes" in capsys.readouterr().out
    assert s3.keys(files) == []
    assert not doctor.run(Loaded(replace(settings, files=replace(files, secret_access_key="another")), ()))
    wrong = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("files "))
    assert "wrong" in wrong
    assert "lacked the necessary privileges" in wrong
