"""Messages that were there before the built-in search was, or that are taken in anew: newest first, some at a time.

catch_up   the next some, by a worker or by `fechatter search rebuild`; any number at once
take_in    some by their ids
"""

import asyncio
from collections.abc import Sequence

from fechatter.domain.vectors import indexed, name_vector
from fechatter.store.database import Database
from fechatter.store.search import backfill, message_words
from fechatter.store.search.backfill import Left

AT_ONCE = 500


async def catch_up(db: Database) -> Left | None:
    """Take in the next messages; None when all are. Cut off half-way, the same ones are next again."""
    await _name_files(db)
    async with db.connection() as connection:
        step = await backfill.next_step(connection, AT_ONCE)
    if step is None:
        return None
    await take_in(db, step.message_ids, anew=step.anew)
    async with db.connection() as connection:
        await backfill.advance(connection, step)
        return await backfill.progress(connection)


async def take_in(db: Database, message_ids: Sequence[int], *, anew: bool) -> None:
    """Write the words of those messages that are there and not deleted. What is edited meanwhile has its new words."""
    async with db.connection() as connection:
        texts = await backfill.texts(connection, message_ids, anew=anew)
        found_by = await asyncio.to_thread(lambda: [indexed(text.content) for text in texts])
        await message_words.learn(connection, list({word for each in found_by for word in each.spelled}))
        await backfill.write(connection, texts, [each.vector for each in found_by])


async def _name_files(db: Database) -> None:
    """The words of names that were given before: messages take them from there."""
    async with db.connection() as connection:
        while files := await backfill.unnamed_files(connection, AT_ONCE):
            await backfill.name_files(connection, {file_id: name_vector(name) for file_id, name in files.items()})
