"""Meilisearch as a server: requests, tasks and what their failures mean.

Server.open         a client; nothing is asked yet
LIVE, NEXT          the index that is asked, and one that is being built
Mark, Plate         what an index says of itself, in two entries that no search finds
NoIndex             there is none, or it is not ours

Whatever writes waits for Meilisearch's task, since an answer of 202 means nothing: a task may fail for want of space.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import httpx2
import msgspec
from meilisearch_python_sdk import AsyncClient
from meilisearch_python_sdk.errors import MeilisearchApiError, MeilisearchError
from meilisearch_python_sdk.index import AsyncIndex

from fechatter.config import Search
from fechatter.domain.search import MOST_FOUND
from fechatter.search.index import SearchAway
from fechatter.search.meilisearch.documents import NAMES, SETTINGS, VERSION, WORDS
from fechatter.search.meilisearch.questions import Question
from fechatter.store.log.replay import Seen

LIVE, NEXT = "fechatter_messages", "fechatter_messages_next"
REQUEST_S = 30
TASK_S = 120.0
"""Meilisearch takes in what is written in batches; a large one before ours is waited for."""
_MARK_ID, _PLATE_ID = 0, -1
Entry = MutableMapping[str, Any]


class NoIndex(SearchAway):
    """There is no such index in Meilisearch."""

    title = "Meilisearch has no index of ours yet: a worker builds it, or 'fechatter search rebuild' does"


class Refused(RuntimeError):
    """Meilisearch says that what it was given is wrong; again will not help. Its text holds no text of a message."""


class Answer(msgspec.Struct, frozen=True):
    """Hits as Meilisearch gives them, with `_rankingScore` and `_matchesPosition`."""

    hits: list[dict[str, Any]]
    total: int


class Mark(msgspec.Struct, frozen=True):
    """How far an index has come: it has every change of the log that `seen` has."""

    mark: int
    epoch: str
    highest: int
    pending: tuple[int, ...]

    @property
    def seen(self) -> Seen:
        return Seen(self.highest, self.pending)


class Plate(msgspec.Struct, frozen=True):
    """Which build an index is, and of which version of the settings."""

    build: str
    version: int


class Server:
    """All that is asked of Meilisearch. Every method may raise SearchAway."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Search) -> AsyncGenerator["Server"]:
        # It sends compressed answers in pieces, of which the last waits 40 ms for the first to be acknowledged.
        plain = {"Accept-Encoding": "identity"}
        async with AsyncClient(
            settings.url, settings.api_key or None, timeout=REQUEST_S, custom_headers=plain
        ) as client:
            yield cls(client)

    async def search(self, question: Question, page: int, per_page: int) -> Answer:
        """With `page`, and not with an offset, the total is exact."""
        with _understood():
            found = await self._index(LIVE).search(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                question.text,
                filter=[*question.filter],
                page=page,
                hits_per_page=min(per_page, MOST_FOUND),
                attributes_to_retrieve=["id", WORDS, NAMES],
                attributes_to_search_on=question.fields,
                matching_strategy="all",
                show_matches_position=True,
                show_ranking_score=True,
            )
        hits = cast("list[dict[str, Any]]", found.hits)  # pyright: ignore[reportUnknownMemberType]
        return Answer(hits, found.total_hits or 0)

    async def submit(self, uid: str, entries: Sequence[Entry]) -> int:
        """The number of the task that writes the entries."""
        with _understood():
            return (await self._index(uid).add_documents(list(entries), "id")).task_uid

    async def put(self, uid: str, entries: Sequence[Entry]) -> None:
        if entries:
            await self.wait(await self.submit(uid, entries))

    async def remove(self, uid: str, ids: Iterable[int]) -> None:
        if listed := [str(each) for each in ids]:
            with _understood():
                task = await self._index(uid).delete_documents(listed)
            await self.wait(task.task_uid)

    async def remove_where(self, uid: str, condition: str) -> None:
        with _understood():
            task = await self._index(uid).delete_documents_by_filter(condition)
        await self.wait(task.task_uid)

    async def wait(self, task: int, patience_s: float = TASK_S) -> None:
        """Until the task has succeeded. Raises SearchAway, NoIndex or Refused if it does not."""
        pause, deadline = 0.005, asyncio.get_running_loop().time() + patience_s
        while True:
            with _understood():
                found = await self._client.get_task(task)
            if found.status not in ("enqueued", "processing"):
                break
            if asyncio.get_running_loop().time() > deadline:
                raise SearchAway(f"Meilisearch has not come to a task in {patience_s:.0f} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        if found.status != "succeeded":
            raise _failure(found.error or {})

    async def create(self, uid: str) -> None:
        """An empty index of ours, with its settings."""
        with _understood():
            task = await self._client.http_client.post("/indexes", json={"uid": uid, "primaryKey": "id"})
            task.raise_for_status()
            number = task.json()["taskUid"]
        await self.wait(number)
        with _understood():
            settings = await self._index(uid).update_settings(SETTINGS)
        await self.wait(settings.task_uid)

    async def drop(self, uid: str) -> None:
        """There need not be one."""
        with _understood():
            task = await self._index(uid).delete()
        try:
            await self.wait(task.task_uid)
        except NoIndex:
            return

    async def swap(self, build: str) -> None:
        """Have NEXT be LIVE, which must exist, and LIVE be NEXT; return once it is so.

        A key that is good for our indexes may order a swap and may not see its task: the plate tells.
        """
        with _understood():
            await self._client.swap_indexes([(LIVE, NEXT)])
        deadline = asyncio.get_running_loop().time() + TASK_S
        while (plate := await self.plate(LIVE)) is None or plate.build != build:
            if asyncio.get_running_loop().time() > deadline:
                raise SearchAway("Meilisearch has not put the new index in place.")
            await asyncio.sleep(0.02)

    async def mark(self, uid: str) -> Mark | None:
        return await self._own(uid, _MARK_ID, Mark)

    async def plate(self, uid: str) -> Plate | None:
        return await self._own(uid, _PLATE_ID, Plate)

    def mark_entry(self, mark: int, epoch: str, seen: Seen) -> Entry:
        own = Mark(mark, epoch, seen.highest, seen.pending)
        return {"id": _MARK_ID, "own": msgspec.to_builtins(own)}

    def plate_entry(self, build: str) -> Entry:
        return {"id": _PLATE_ID, "own": msgspec.to_builtins(Plate(build, VERSION))}

    async def stamps(self, uid: str, offset: int, limit: int) -> list[tuple[int, str]]:
        """Ids and stamps of entries, in an order of its own; our two own entries have none."""
        with _understood():
            found = await self._index(uid).get_documents(offset=offset, limit=limit, fields=["id", "stamp"])
        return [(each["id"], each.get("stamp", "")) for each in found.results]

    async def stamps_of(self, uid: str, ids: Sequence[int]) -> dict[int, str]:
        """Of those that are there."""
        if not ids:
            return {}
        with _understood():
            listed = [str(each) for each in ids]
            found = await self._index(uid).get_documents(ids=listed, limit=len(ids), fields=["id", "stamp"])
        return {each["id"]: each.get("stamp", "") for each in found.results}

    async def count(self, uid: str) -> int:
        with _understood():
            return (await self._index(uid).get_stats()).number_of_documents

    def _index(self, uid: str) -> AsyncIndex:
        return self._client.index(uid)

    async def _own(self, uid: str, number: int, type_: type[Any]) -> Any:
        """None: the index, or the entry, is not there."""
        try:
            with _understood():
                found = await self._index(uid).get_document(str(number), fields=["own"])
            return msgspec.convert(found["own"], type_)
        except (NoIndex, _NoEntry, KeyError, msgspec.ValidationError):
            return None


class _NoEntry(SearchAway):
    pass


@contextmanager
def _understood() -> Generator[None]:
    """What goes wrong with a request, as one of ours."""
    try:
        yield
    except MeilisearchApiError as error:
        if error.code == "index_not_found":
            raise NoIndex from error
        if error.code == "document_not_found":
            raise _NoEntry from error
        if error.code in ("invalid_api_key", "missing_authorization_header"):
            raise SearchAway(
                "Meilisearch refuses the key: give one with the rights that docs/operations.md names (search.api_key)."
            ) from error
        raise SearchAway(f"Meilisearch cannot: {error.code or error.status_code}.") from error
    except (MeilisearchError, httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
        raise SearchAway(f"Meilisearch does not answer ({type(error).__name__}).") from error
    except (ValueError, KeyError, TypeError) as error:  # a page of a proxy, say, with 200
        raise SearchAway("What answers at search.url is not Meilisearch, or another version of it.") from error


def _failure(error: Mapping[str, Any]) -> Exception:
    code = str(error.get("code", "unknown"))
    if code == "index_not_found":
        return NoIndex()
    if error.get("type") == "invalid_request":
        return Refused(code)
    return SearchAway(f"Meilisearch could not do a task: {code}.")
