"""Getting rid of files: rows that nobody shows, then objects that no row names.

clean_up   one pass; any number of workers may run it at once
"""

from fechatter import logs
from fechatter.files.storage import Storage
from fechatter.store import files
from fechatter.store.database import Database

AT_ONCE = 200

log = logs.get(__name__)


async def clean_up(db: Database, storage: Storage) -> tuple[int, int]:
    """Delete what is due, and return how many files and objects. What fails half-way is found again next time."""
    swept = deleted = 0
    async with db.connection() as connection:
        while (count := await files.sweep(connection, AT_ONCE)) > 0:
            swept += count
        while keys := await files.due_garbage(connection, AT_ONCE):
            await storage.delete(keys)
            await files.forget_garbage(connection, keys)
            deleted += len(keys)
    if swept or deleted:
        log.info("files.cleaned", files=swept, objects=deleted)
    return swept, deleted
