"""Cleaning up: what nobody shows goes, with its bytes; what somebody shows stays."""

from pathlib import Path

import pytest

from fechatter.files.cleaning import clean_up
from fechatter.files.storage import open_storage
from fechatter.files.thumbnails import make_due
from tests.clients.api import Person
from tests.clients.shapes import File
from tests.integration.files.uploading import upload
from tests.support.world import World


class Cleaner:
    """Works on the files of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._storage = open_storage(world.settings)

    async def make_thumbnails(self) -> None:
        await make_due(self._world.db, self._storage)

    async def age(self) -> None:
        """Two days go by for what nobody shows."""
        await self._world.db.fetch("UPDATE files SET idle_since = idle_since - interval '2 days'")

    async def run(self) -> list[int]:
        """Clean up; ids of the files that are left, whose bytes must be all that is left."""
        await clean_up(self._world.db, self._storage)
        rows = await self._world.db.fetch("SELECT id, object_key, thumbnail_key FROM files ORDER BY id")
        keys = {key for row in rows for key in (row["object_key"], row["thumbnail_key"]) if key}
        folder = self._storage.folder or Path()
        assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == keys
        return [row["id"] for row in rows]


@pytest.fixture
def cleaner(world: World) -> Cleaner:
    return Cleaner(world)


async def attached(ada: Person) -> tuple[File, int, int]:
    """A file in a message: the file, the chat's id, the message's."""
    file = await upload(ada)
    chat = await ada.create_chat("PublicChannel")
    message = await ada.post(chat, "", files=[file.id])
    return file, chat.id, message.id


async def test_what_is_not_used_for_a_day_goes(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    await upload(ada)
    await cleaner.make_thumbnails()
    await cleaner.age()
    young = await upload(ada)
    assert await cleaner.run() == [young.id]


async def test_what_a_message_or_an_avatar_shows_stays(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    file, _, _ = await attached(ada)
    avatar, former = await upload(ada), await upload(ada)
    for each in (former, avatar):
        await world.db.fetch("UPDATE users SET avatar = $2 WHERE id = $1", ada.id, each.url)
    await cleaner.age()
    assert await cleaner.run() == [file.id, avatar.id]


async def test_a_deleted_message_takes_its_files_with_it(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    file, _, message_id = await attached(ada)
    shared = await upload(ada)
    chat = await ada.create_chat("Single", None)
    first, _ = [await ada.post(chat, "", files=[shared.id]) for _ in range(2)]
    await cleaner.make_thumbnails()
    await world.db.fetch("UPDATE messages SET deleted_at = now() WHERE id = ANY($1::bigint[])", [message_id, first.id])
    assert await cleaner.run() == [shared.id]
    assert file.id != shared.id


async def test_a_deleted_chat_takes_its_files_with_it(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    _, chat_id, _ = await attached(ada)
    await world.db.fetch("DELETE FROM chats WHERE id = $1", chat_id)
    assert await cleaner.run() == []


async def test_a_deleted_workspace_takes_its_files_with_it(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    await attached(ada)
    await upload(ada)
    await cleaner.make_thumbnails()
    await world.db.fetch("DELETE FROM workspaces WHERE id = $1", world.workspace_id)
    assert await cleaner.run() == []


async def test_bytes_that_no_file_was_made_of_go(world: World, cleaner: Cleaner) -> None:
    """What a server leaves behind that was killed between the bytes and the row."""
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    await world.db.fetch("INSERT INTO object_garbage SELECT object_key, now() - interval '1 s' FROM files")
    await world.db.fetch("ALTER TABLE files DISABLE TRIGGER files_discard")
    await world.db.fetch("DELETE FROM files WHERE id = $1", file.id)
    assert await cleaner.run() == []


async def test_a_file_that_is_attached_while_it_is_swept_stays(world: World, cleaner: Cleaner) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    await cleaner.age()
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE files SET idle_since = NULL WHERE id = $1", file.id)
        assert await cleaner.run() == [file.id]
    assert await cleaner.run() == [file.id]
