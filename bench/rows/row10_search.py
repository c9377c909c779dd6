"""Row 10: the built-in search over a million messages, half of them English and half Chinese.

Ours: what a search costs with all that an answer needs but HTTP: the chats that one may read, the search, and the texts
with their marks read from the database. The English is a public chat history (repeated until it is enough) or a made
one; the Chinese comes from a grammar of ours, whose common words are in a tenth of all messages.

Beside it: what the words cost a post (the posting statement by pgbench, with and without them), and how fast messages
are taken in anew.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

import asyncpg
from msgspec import Struct

from bench.figures import Case, Plan, Row
from bench.pgbench import Pgbench
from bench.rows.row05_posts import one_draft
from bench.stage import Stage, say
from fechatter.domain.people import Caller
from fechatter.domain.words import warm
from fechatter.search.answering import Asked, answer
from fechatter.search.backfilling import AT_ONCE, take_in
from fechatter.search.builtin import BuiltinIndex
from fechatter.search.choose import Alone
from fechatter.store.database import Database
from fechatter.store.messages import posting
from tests.support.corpus import chinese, english

MESSAGES = 1_000_000
ROOMS = 64
CLASSES: dict[str, tuple[str, ...]] = {
    "Chinese words of two characters": ("部署", "合同", "会话", "索引", "软件", "报销", "周三", "地址", "更新"),
    "Chinese words of three and four, sentences": (
        "数据库",
        "会议纪要",
        "缩略图迁移",
        "产品路线图上线失败",
        "证书更新",
    ),
    "English words": ("function", "callback", "heroku", "regex", "promises", "recursion", "bonfire", "github"),
    "several English words": ("array prototype", "angular controller scope", "pull request merge", "css grid layout"),
    "misspelt": ("javascritp", "recursoin", "fucntion callback", "asynchornous", "prototpye chain", "reposotory"),
    "beginnings": ("recurs", "asynchr", "boots", "proto", "con", "sta"),
    "phrases": ('"for loop"', '"pull request"', '"how do i"', '"用户反馈"', '"数据库和"'),
    "the commonest words": ("the", "的", "i", "a", "了", "to"),
    "nothing": ("qqzzxxyy", "龘靐齉", "xyzzyplugh frobnicate"),
}


class Seen(Struct):
    """Milliseconds of each search."""

    took: list[float]

    def at(self, part: float) -> float:
        return sorted(self.took)[min(int(len(self.took) * part), len(self.took) - 1)]


def measure(plan: Plan) -> Iterator[Case]:
    warm()
    with Stage.up(ROOMS, ROOMS) as stage:
        url = stage.stack.database_url
        yield from _cost_of_words(plan, stage)
        yield asyncio.run(_fill(url, stage))
        yield from asyncio.run(_search(plan, stage))


def _cost_of_words(plan: Plan, stage: Stage) -> Iterator[Case]:
    """The same statement with and without the part that writes the words, turn by turn, before there is anything."""
    pgbench, case = Pgbench.find(stage.stack.database_url), _case("a post with its words", "the same without")
    case.unit, case.good, case.goal, case.kind = "posts/s", 0.7, 0.85, "ratio"
    statement = posting.POST[False, False, False]
    for _ in range(plan.rounds):
        ours = pgbench.run(one_draft(stage, statement), clients=10, seconds=plan.seconds)
        bare = pgbench.run(one_draft(stage, _without_words(statement)), clients=10, seconds=plan.seconds)
        case.add(ours, bare)
        say(f"posts/s: with words {ours:,.0f}, without {bare:,.0f}")
    yield case


def _without_words(statement: str) -> str:
    """The parameter stays, so that both are given the same."""
    before, _, rest = statement.partition("), found AS (")
    return before + rest[rest.index("\n)\nSELECT a.n") :]


async def _fill(url: str, stage: Stage) -> Case:
    """Messages as if from before the search was; then they are taken in as a worker does it."""
    case = _case("messages taken in", "", unit="messages/s")
    case.kind, case.better = "figure", "more"
    db = await Database.open(url, 2)
    connection = await asyncpg.connect(url)
    chats = [person.chat_id for person in stage.people]
    workspace = await connection.fetchval("SELECT workspace_id FROM chats WHERE id = $1", chats[0])
    await connection.execute("UPDATE search_backfill SET first_id = 0, next_id = 0, renewing = false")
    for first in range(0, MESSAGES, 50_000):
        await connection.copy_records_to_table("messages", records=_messages(first, workspace, chats),
            columns=["workspace_id", "chat_id", "seq", "sender_id", "content", "created_at"])  # fmt: skip
    await connection.execute(
        "UPDATE chats c SET last_seq = n.count FROM (SELECT chat_id, count(*) FROM messages GROUP BY 1) n "
        "WHERE c.id = n.chat_id"
    )
    await connection.close()
    began = time.monotonic()
    await _take_all_in(db)
    case.add(MESSAGES / (time.monotonic() - began))
    say(f"taken in: {case.ours[-1]:,.0f} messages/s")
    await db.fetch("VACUUM ANALYZE message_words")
    await db.fetch("VACUUM ANALYZE messages")
    await db.close()
    return case


def _messages(first: int, workspace: int, chats: Sequence[int]) -> Iterator[tuple[object, ...]]:
    real = itertools.islice(itertools.cycle(english()), first // 2, None)
    made, chance = chinese(first), random.Random(first)  # noqa: S311 - which room, not whose secret
    begin = datetime.now(UTC) - timedelta(seconds=30 * MESSAGES)
    for n in range(first, first + 50_000):
        text = next(real) if n % 2 else next(made)
        at = begin + timedelta(seconds=30 * n)
        yield workspace, chance.choice(chats), 10_000_000 + n, 1, text.replace("\x00", "")[:16_384], at


async def _take_all_in(db: Database) -> None:
    async with db.connection() as connection:
        low, high = 0, await connection.fetchval("SELECT max(id) FROM messages")
    for start in range(low, high + 1, AT_ONCE):
        await take_in(db, range(start, start + AT_ONCE), anew=False)


async def _search(plan: Plan, stage: Stage) -> list[Case]:
    db = await Database.open(stage.stack.database_url, 2)
    person = stage.people[0]
    caller = Caller(person.user_id, person.session_id)
    await db.fetch(
        """
        INSERT INTO chat_members (chat_id, user_id, workspace_id, role)
        SELECT id, $1, workspace_id, 'member' FROM chats ON CONFLICT DO NOTHING
        """,
        person.user_id,
    )
    searching = Alone(BuiltinIndex(db))
    cases = [await _of_class(plan, db, searching, caller, name, queries) for name, queries in CLASSES.items()]
    cases.append(await _recall(db, searching, caller))
    await db.close()
    return cases


async def _of_class(
    plan: Plan, db: Database, searching: Alone, caller: Caller, name: str, queries: Sequence[str]
) -> Case:
    case = _case(f"{name}: p99", "", good=50, goal=10, unit="ms")
    case.kind, case.better = "figure", "less"
    for _ in range(plan.rounds):
        seen = Seen([])
        end = time.monotonic() + plan.seconds / 2
        while time.monotonic() < end:
            for query in queries:
                began = time.perf_counter()
                await answer(db, searching, caller, Asked(text=query, limit=20))
                seen.took.append((time.perf_counter() - began) * 1000)
        case.add(seen.at(0.99), note=f"p50 {seen.at(0.5):.1f} ms, {len(seen.took)} searches")
    say(f"{case.name}: {median(case.ours):.1f} ms, {case.notes[-1]}")
    return case


async def _recall(db: Database, searching: Alone, caller: Caller) -> Case:
    """Of all messages that hold two characters side by side, the part that is found (up to 1,000)."""
    case = _case("recall of two characters", "", good=0.99, goal=1, unit="of all")
    case.kind = "figure"
    pairs = ["软件", "下载", "注册", "论坛", "企业", "作者", "电话", "合作", "标准", "专业"]
    for pair in pairs:
        there = await db.fetch_value("SELECT count(*) FROM messages WHERE strpos(content, $1) > 0", pair)
        found = await answer(db, searching, caller, Asked(text=pair, limit=1))
        case.add(found.total / min(there, 1_000))
    return case


def _case(
    name: str, against: str, *, good: float | None = None, goal: float | None = None, unit: str = "posts/s"
) -> Case:
    return Case(row=10, name=name, against=against or "1 M messages", unit=unit, good=good, goal=goal)


ROW = Row(10, "Built-in search over a million messages", measure)
