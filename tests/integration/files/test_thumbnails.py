"""Thumbnails: made by a process of their own, which hostile images may ruin without harm."""

import io

import pytest
from PIL import Image

from fechatter.files.storage import Storage, open_storage
from fechatter.files.thumbnails import CannotRender, make_due, render
from tests.clients.api import Person
from tests.clients.shapes import File
from tests.integration.files.uploading import download, image, upload
from tests.support.world import World


@pytest.fixture
def storage(world: World) -> Storage:
    return open_storage(world.settings)


async def listed(world: World, ada: Person, file: File) -> File:
    """The file as a message shows it now."""
    chat = await ada.create_chat("Single", None)
    return (await ada.post(chat, "", files=[file.id])).files[0]


async def test_it_is_404_with_retry_after_until_it_is_made(world: World, storage: Storage) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, image("JPEG", (1500, 1000)))
    early = await download(ada, file, what="/thumbnail")
    early.problem(404, "not_found")
    assert int(early.headers["retry-after"]) >= 1
    assert await make_due(world.db, storage) == 1
    answer = await download(ada, file, what="/thumbnail")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.body)).size == (512, 341)
    known = await download(ada, file, what="/thumbnail", If_None_Match=answer.headers["etag"])
    assert (known.status, known.body) == (304, b"")


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
async def test_every_format_has_one(world: World, storage: Storage, format_: str) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, image(format_, (60, 20)))
    assert await make_due(world.db, storage) == 1
    answer = await download(ada, file, what="/thumbnail")
    assert Image.open(io.BytesIO(answer.body)).size == (60, 20)
    shown = await listed(world, ada, file)
    assert (shown.width, shown.height) == (60, 20)


async def test_a_picture_is_turned_as_its_camera_says_and_says_nothing_else(world: World, storage: Storage) -> None:
    (ada,) = await world.people("Ada")
    notes = Image.Exif()
    notes[0x0112] = 6
    notes[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}
    file = await upload(ada, image("JPEG", (300, 200), exif=notes))
    assert (file.width, file.height) == (200, 300)
    await make_due(world.db, storage)
    answer = await download(ada, file, what="/thumbnail")
    small = Image.open(io.BytesIO(answer.body))
    assert small.size == (200, 300)
    assert not small.getexif()


def bomb() -> bytes:
    """100 KiB that become 900 million pixels."""
    made = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize("kind", ["bomb", "cut off", "header only", "another's signature"])
async def test_what_cannot_be_shown_is_given_up(world: World, storage: Storage, kind: str) -> None:
    (ada,) = await world.people("Ada")
    content = {
        "bomb": bomb(),
        "cut off": image("PNG", (600, 600))[:-400],
        "header only": image()[:33],
        "another's signature": b"GIF89a" + image("JPEG"),
    }[kind]
    file = await upload(ada, content)
    assert file.thumbnail_url is not None
    assert await make_due(world.db, storage) == 0
    answer = await download(ada, file, what="/thumbnail")
    answer.problem(404, "not_found")
    assert "retry-after" not in answer.headers
    assert (await listed(world, ada, file)).thumbnail_url is None
    assert (await download(ada, file)).body == content


async def test_one_that_takes_too_long_is_ended(world: World) -> None:
    with io.FileIO(world.settings.data_dir / "image", "w+") as source:
        source.write(image("PNG", (4000, 4000)))
        with pytest.raises(CannotRender, match="longer"):
            await render(source, patience_s=0.01)


async def test_a_worker_that_dies_leaves_the_work_to_the_next(world: World, storage: Storage) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    await world.db.fetch("UPDATE files SET thumbnail_tries = 1, thumbnail_due = now() + interval '1 minute'")
    assert await make_due(world.db, storage) == 0
    assert "retry-after" in (await download(ada, file, what="/thumbnail")).headers
    await world.db.fetch("UPDATE files SET thumbnail_due = now()")
    assert await make_due(world.db, storage) == 1


async def test_what_ends_its_worker_over_and_over_is_given_up(world: World, storage: Storage) -> None:
    (ada,) = await world.people("Ada")
    await upload(ada)
    await world.db.fetch("UPDATE files SET thumbnail_tries = 3")
    assert await make_due(world.db, storage) == 0
    assert await world.db.fetch_value("SELECT thumbnail_due FROM files") is None


async def test_what_is_no_image_has_none(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, b"words", "a.txt")
    assert file.thumbnail_url is None
    (await download(ada, file, what="/thumbnail")).problem(404, "not_found")
