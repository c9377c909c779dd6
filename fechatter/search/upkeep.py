"""What keeps the built-in search quick and complete, beside the messages that bring their own words.

flush      empty the list in which the index keeps what is new: every search reads through it
complete   take in messages that were there before
prune      forget words that hardly anybody uses, when they are too many
"""

import asyncio

from fechatter import logs
from fechatter.search.backfilling import catch_up
from fechatter.store.database import Database
from fechatter.store.search import vocabulary

MOST_WORDS = 500_000
_AT_ONCE = 2_000
_BREATH_S = 0.02
"""Between two steps, so that those who post have their turn."""

log = logs.get(__name__)


async def flush(db: Database) -> None:
    async with db.connection() as connection:
        await vocabulary.flush(connection)


async def complete(db: Database) -> None:
    """Until all are in. Any number of workers may help each other."""
    steps = 0
    while (left := await catch_up(db)) is not None:
        steps += 1
        if steps % 100 == 1:
            log.info("search.taking_in", done=left.done, of=left.of)
        await asyncio.sleep(_BREATH_S)
    if steps:
        log.info("search.complete")


async def prune(db: Database) -> None:
    """Words that one message has, or none any more, go first."""
    async with db.connection() as connection:
        while await vocabulary.count(connection) > MOST_WORDS:
            if not await vocabulary.forget_rare(connection, _AT_ONCE):
                return
