"""Row 14: search by Meilisearch beside the built-in search, on the same messages, in the same minute.

How fast an index is built; how long after a post it is found, at a pace; how long a question takes, median and 99th of
a hundred. The messages: the public chat history beside the project where it is there, else made ones, and as many of
Chinese. Ours is Meilisearch (the one of the tests); the floor is the built-in search.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import TypeAlias

import asyncpg

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.stage import Stage, say
from fechatter.actions.messages.post_message import Posting
from fechatter.config import Settings
from fechatter.domain.messages import Draft
from fechatter.domain.people import Caller
from fechatter.domain.search import Query
from fechatter.search.builtin import BuiltinIndex
from fechatter.search.index import Index, SearchAway
from fechatter.search.indexer import Indexer
from fechatter.search.meilisearch.index import MeilisearchIndex
from fechatter.search.meilisearch.server import Server
from fechatter.store.database import Database
from tests.support import corpus
from tests.support.meilisearch import BINARY, MISSING, MeilisearchServer

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
MESSAGES = 100_000
QUESTIONS = 100
PACE = 20
"""Posts a second while the time until they are found is taken."""
PATIENCE_S = 30.0
POLL_S = 0.1
"""More often, those who look would be most of the load."""
FILL = """
WITH chat AS (UPDATE chats SET last_seq = last_seq + cardinality($2::text[]) WHERE id = $1
              RETURNING id, workspace_id, last_seq - cardinality($2::text[]) AS before)
INSERT INTO messages (workspace_id, chat_id, seq, sender_id, content)
SELECT workspace_id, id, before + n, $3, text FROM chat, unnest($2::text[]) WITH ORDINALITY AS t (text, n)
"""


def measure(plan: Plan) -> Iterator[Case]:
    if BINARY is None:
        raise CannotMeasure(MISSING)
    built = Case(
        row=14, name=f"an index of {MESSAGES:,} messages is built", against="the built-in one", unit="messages/s"
    )
    lag = Case(row=14, name=f"post → found, {PACE} posts/s, 99th", against="", unit="ms", better="less", kind="figure")
    middle = Case(row=14, name="a question, median", against="the built-in search", unit="ms", better="less")
    worst = Case(row=14, name="a question, 99th", against="the built-in search", unit="ms", better="less")
    with Stage.up(1, 1) as stage:
        texts = _fill(stage)
        folder = stage.folder / "meilisearch"
        folder.mkdir()
        with MeilisearchServer.start(folder) as operator:
            asyncio.run(_rounds(plan, stage, operator, texts, (built, lag, middle, worst)))
    yield from (built, lag, middle, worst)


async def _rounds(
    plan: Plan, stage: Stage, operator: MeilisearchServer, texts: list[str], cases: tuple[Case, Case, Case, Case]
) -> None:
    built, lag, middle, worst = cases
    db = await Database.open(stage.stack.database_url, 10, "bench")
    settings = Settings(search=operator.search)
    settings = _with_database(settings, stage.stack.database_url)
    async with Server.open(operator.search) as server, Indexer.open(settings) as indexer:
        ours, floor = MeilisearchIndex(db, server), BuiltinIndex(db)
        built.add(await _built(ours), await _built(floor))
        say(f"built: {built.ours[0]:,.0f} and {built.floor[0]:,.0f} messages/s")
        working = asyncio.create_task(indexer.run())
        await _until(lambda: _answers(ours, stage))
        for number in range(1, plan.rounds + 1):
            took = sorted(await _lags(db, stage, ours, indexer, int(plan.seconds * PACE)))
            lag.add(_of(took, 0.99), note=f"median {median(took):.0f} ms")
            queries = _queries(texts, stage, number)
            theirs, mine = sorted(await _times(floor, queries)), sorted(await _times(ours, queries))
            middle.add(median(mine), median(theirs))
            worst.add(_of(mine, 0.99), _of(theirs, 0.99))
            say(f"round {number}: found after {lag.ours[-1]:.0f} ms; {median(mine):.1f} and {median(theirs):.1f} ms")
        working.cancel()
        await asyncio.wait([working])
    await db.close()


async def _built(index: Index) -> float:
    begin = time.perf_counter()
    await index.rebuild(lambda _progress: None)
    return MESSAGES / (time.perf_counter() - begin)


async def _lags(db: Database, stage: Stage, index: Index, indexer: Indexer, count: int) -> list[float]:
    """Milliseconds from the answer to a post until a search finds it."""
    person = stage.people[0]
    posting, finding = Posting(db), list[asyncio.Task[float]]()

    async def found(word: str) -> float:
        begin = time.perf_counter()
        query = Query(text=word, chats=[person.chat_id], limit=1)
        await _until(lambda: _has(index, query))
        return (time.perf_counter() - begin) * 1000

    for n in range(count):
        word = f"needle{random.randrange(10**12)}x{n}"  # noqa: S311
        await posting.post(Caller(person.user_id, person.session_id), person.chat_id, Draft(content=f"a {word}"))
        indexer.wake()
        finding.append(asyncio.create_task(found(word)))
        await asyncio.sleep(1 / PACE)
    took = await asyncio.gather(*finding)
    await posting.close()
    return took


async def _times(index: Index, queries: list[Query]) -> list[float]:
    took: list[float] = []
    for query in queries:
        begin = time.perf_counter()
        await index.search(query)
        took.append((time.perf_counter() - begin) * 1000)
    return took


def _queries(texts: list[str], stage: Stage, seed: int) -> list[Query]:
    """Two words, or as many characters of Chinese, that stand together in a message."""
    chance = random.Random(seed)  # noqa: S311
    found: list[Query] = []
    while len(found) < QUESTIONS:
        text = chance.choice(texts)
        words = text.split()
        place = chance.randrange(max(len(words) - 1, 1))
        wanted = text[:2] if not text.isascii() else " ".join(words[place : place + 2])
        if wanted.strip():
            found.append(Query(text=wanted[:100], chats=[stage.people[0].chat_id], limit=20))
    return found


async def _has(index: Index, query: Query) -> bool:
    return bool((await index.search(query)).hits)


async def _answers(index: Index, stage: Stage) -> bool:
    try:
        await index.search(Query(text="any", chats=[stage.people[0].chat_id]))
    except SearchAway:
        return False
    return True


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        if time.monotonic() > deadline:
            raise CannotMeasure(f"Meilisearch does not find what was posted {PATIENCE_S:.0f} s ago")
        await asyncio.sleep(POLL_S)


def _of(sorted_figures: list[float], share: float) -> float:
    return sorted_figures[min(int(len(sorted_figures) * share), len(sorted_figures) - 1)]


def _with_database(settings: Settings, url: str) -> Settings:
    from msgspec.structs import replace

    return replace(settings, server=replace(settings.server, db_url=url))


def _fill(stage: Stage) -> list[str]:
    say(f"making {MESSAGES:,} messages")
    half = MESSAGES // 2
    english = itertools.cycle(text[:4000] for text in corpus.english() if text.strip())
    texts = [text for pair in zip(itertools.islice(english, half), corpus.chinese(), strict=False) for text in pair]

    async def fill(connection: Connection) -> None:
        person = stage.people[0]
        for start in range(0, len(texts), 10_000):
            await connection.execute(FILL, person.chat_id, texts[start : start + 10_000], person.user_id, timeout=600)
        await connection.execute("VACUUM ANALYZE", timeout=600)

    stage.query(fill)
    return texts


ROW = Row(14, "Search by Meilisearch", measure)
