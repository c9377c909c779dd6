"""Post messages, those that come together in one statement.

Posting.post    store a draft and answer for it alone
Posting.close   wait for what is under way
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence

import asyncpg

from fechatter.actions.messages.indexing import Vocabulary, found_by
from fechatter.domain.errors import (
    DomainError,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from fechatter.domain.messages import Draft, Message
from fechatter.domain.people import Caller
from fechatter.domain.text import mentioned
from fechatter.domain.vectors import Indexed
from fechatter.store.database import Database, Row
from fechatter.store.messages import messages, posting
from fechatter.store.messages.posting import Post, Refused

BATCH = 64
"""Posts in one statement at the most."""
UNDER_WAY = 2
"""Statements at once: while the database works on one, the next fills. A post that comes alone never waits."""
WAITING = 4
"""Statements at once that may wait for a chat that another transaction holds; all other chats go on."""
MOST = 10_000
"""Posts on their way at once in this process; more are told to come again."""


class Posting:
    """Gathers posts while statements are under way, and sends what has gathered.

    A chat is in one statement at a time, so that no statement of ours waits for another of ours.

    _gathered    posts that wait for a statement, by chat, the chat that has waited longest first
    _count       how many those are
    _busy        chats in a statement under way
    _slots       statements that may still start now
    _tasks       statements under way, of both kinds
    _vocabulary  words that need not be learnt again
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._vocabulary = Vocabulary()
        self._gathered: dict[int, deque[_Waiting]] = {}
        self._count = 0
        self._busy: set[int] = set()
        self._slots = UNDER_WAY
        self._may_wait = asyncio.Semaphore(WAITING)
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, author: Caller, chat_id: int, draft: Draft) -> tuple[Message, bool]:
        """Store a message and its event together; safe to retry with the same draft.

        Returns the message as it is now, and whether it was made by this call. The draft has been checked
        (Draft.check). Raises NotFound, Forbidden, Unauthenticated, InvalidRequest; IdempotencyConflict when the key was
        used for something else; Unavailable when the database is away: then it may or may not be stored, and a retry
        with the same key tells. Being cancelled does not undo it.
        """
        if self._count >= MOST:
            raise Unavailable("Too many messages are being sent at this moment: try again in a second.")
        waiting = _Waiting(author, chat_id, draft, await found_by(draft.content))
        self._gathered.setdefault(chat_id, deque()).append(waiting)
        self._count += 1
        self._send()
        row = await waiting.answer
        if not row["new"] and row["earlier_digest"] != draft.digest(chat_id):
            raise IdempotencyConflict
        return messages.from_row(row), bool(row["new"])

    @property
    def waiting(self) -> int:
        """Posts that wait for a statement."""
        return self._count

    async def close(self) -> None:
        """Wait until all that was gathered has been answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _send(self) -> None:
        while self._slots and (batch := self._next_batch()):
            self._slots -= 1
            self._start(self._store(batch))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_batch(self) -> list["_Waiting"]:
        """Posts of chats that are not busy, which they now are. A key that comes twice waits for its first."""
        batch: list[_Waiting] = []
        keys: set[tuple[int, str]] = set()
        for chat_id in [chat_id for chat_id in self._gathered if chat_id not in self._busy]:
            queue = self._gathered[chat_id]
            while queue and len(batch) < BATCH and queue[0].key not in keys:
                waiting = queue.popleft()
                batch.append(waiting)
                self._busy.add(chat_id)
                if waiting.key is not None:
                    keys.add(waiting.key)
            if not queue:
                del self._gathered[chat_id]
            if len(batch) == BATCH:
                break
        self._count -= len(batch)
        return batch

    async def _store(self, batch: list["_Waiting"]) -> None:
        """Store a batch. A chat that another transaction holds goes on by itself and holds up nobody else."""
        left = await self._try(batch, wait=False)
        self._slots += 1
        waits = {waiting.post.chat_id for waiting in left}
        self._busy -= {waiting.post.chat_id for waiting in batch} - waits
        for chat_id in waits:
            self._start(self._store_waiting([waiting for waiting in left if waiting.post.chat_id == chat_id]))
        self._send()

    async def _store_waiting(self, batch: list["_Waiting"]) -> None:
        """The last word on posts of one chat: store them when the chat is free, or say why not."""
        async with self._may_wait:
            for waiting in await self._try(batch, wait=True):
                if await self._try([waiting], wait=True):
                    await self._refuse(waiting)
        self._busy.discard(batch[0].post.chat_id)
        self._send()

    async def _try(self, batch: Sequence["_Waiting"], *, wait: bool) -> list["_Waiting"]:
        """Run the statement and answer what it stored; return the rest. A failure answers all."""
        try:
            words = self._vocabulary.unknown(word for waiting in batch for word in waiting.spelled)
            async with self._db.connection() as connection:
                rows = await posting.post(connection, [waiting.post for waiting in batch], words, wait=wait)
        except asyncpg.UniqueViolationError:
            return list(batch)
        except Exception as error:  # noqa: BLE001 - each caller gets it, whatever it is; nobody waits for ever
            _fail(batch, error)
            return []
        if rows:
            self._vocabulary.learnt(words)
        return [waiting for n, waiting in enumerate(batch) if not waiting.answered(rows.get(n))]

    async def _refuse(self, waiting: "_Waiting") -> None:
        try:
            async with self._db.connection() as connection:
                refused = await posting.refusal(
                    connection, waiting.post.author, waiting.post.chat_id, waiting.post.draft
                )
            _fail([waiting], _error(refused))
        except Exception as error:  # noqa: BLE001 - as above
            _fail([waiting], error)


class _Waiting:
    """A post, and the future that its caller awaits."""

    def __init__(self, author: Caller, chat_id: int, draft: Draft, words: Indexed) -> None:
        self.post = post = Post(author, chat_id, draft, mentioned(draft.content), words.vector)
        self.spelled = words.spelled
        self.answer: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        key = post.draft.idempotency_key
        self.key = None if key is None else (post.author.user_id, key)

    def answered(self, row: Row | None) -> bool:
        """Pass the row on, if there is one."""
        if row is not None and not self.answer.done():
            self.answer.set_result(row)
        return row is not None


def _fail(batch: Iterable[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            own = _copy(error) if isinstance(error, Unavailable) else error
            waiting.answer.set_exception(own)


def _copy(error: Unavailable) -> Unavailable:
    """Each of those who wait raises one of their own, with what it came from."""
    own = type(error)(error.detail)
    own.__cause__ = error.__cause__
    return own


def _error(refused: Refused) -> DomainError:
    match refused:
        case Refused.SESSION_ENDED:
            return Unauthenticated()
        case Refused.NOT_VISIBLE:
            return NotFound()
        case Refused.NOT_A_MEMBER:
            return Forbidden("Join the channel to write in it.")
        case Refused.NO_SUCH_REPLY:
            return InvalidRequest(fields={"reply_to": "is not a message of this chat"})
        case Refused.NO_SUCH_FILE:
            return InvalidRequest(fields={"files": "must be files of yours, uploaded to this workspace"})
