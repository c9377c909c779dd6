"""Row 11: the first 100 of a user's 1,000 chats, and a page of 50 of a million messages, against a SELECT by hand.

Ours: the statements that the API runs, with all they check, and the objects it makes of the rows. Floor: one indexed
SELECT of the same rows, without checks, its rows left as they are. The page is also read in a chat with 10,000
messages: it must cost the same.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import TypeAlias

import asyncpg

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.stage import Stage, say
from fechatter.domain.people import Caller
from fechatter.store.chats import sidebar
from fechatter.store.messages import messages

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
CHATS = 1_000
LONG, SHORT = 1_000_000, 10_000
LISTED = 100
"""The longest page that the API gives of a list."""
PAGE = 50
TIMES = 100

LIST_BY_HAND = """
SELECT c.*, cm.last_read_seq, m.* FROM chat_members cm
JOIN chats c ON c.id = cm.chat_id LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq
WHERE cm.user_id = $1 ORDER BY c.active_at DESC LIMIT $2
"""
PAGE_BY_HAND = "SELECT * FROM messages WHERE chat_id = $1 ORDER BY seq DESC LIMIT $2"
FILL = """
WITH chat AS (UPDATE chats SET last_seq = $2 WHERE id = $1 RETURNING id, workspace_id)
INSERT INTO messages (workspace_id, chat_id, seq, sender_id, content)
SELECT workspace_id, id, n, $3, 'Message number ' || n || ' of a long conversation.' FROM chat, generate_series(2, $2) n
"""


def measure(plan: Plan) -> Iterator[Case]:
    listed = _case(f"first {LISTED} of {CHATS:,} chats", "one SELECT by hand", good=3, goal=1.5)
    unchanged = _case(f"first {LISTED} of {CHATS:,} chats, unchanged since", "one SELECT by hand")
    page = _case(f"page of {PAGE} of {LONG:,} messages", "one SELECT by hand", good=3, goal=1.5)
    flat = _case(f"page of {PAGE} of {LONG:,} messages", f"the same of {SHORT:,} messages")
    with Stage.up(1, 1) as stage:
        _fill(stage)

        async def rounds(connection: Connection) -> None:
            for number in range(1, plan.rounds + 1):
                await _round(connection, stage, (listed, unchanged, page, flat))
                say(f"round {number}: " + ", ".join(f"{case.value[0]:.2f}" for case in (listed, unchanged, page, flat)))

        stage.query(rounds)
    yield from (listed, unchanged, page, flat)


def _case(name: str, against: str, good: float | None = None, goal: float | None = None) -> Case:
    return Case(row=11, name=name, against=against, unit="ms", better="less", good=good, goal=goal)


async def _round(connection: Connection, stage: Stage, cases: tuple[Case, Case, Case, Case]) -> None:
    person = stage.people[0]
    caller = Caller(person.user_id, person.session_id)
    long, short = [chat_id for chat_id, _ in sorted(await _sizes(connection), key=lambda row: -row[1])[:2]]

    async def ours(known: str | None) -> str:
        found = await sidebar.of_user(connection, caller, None, limit=LISTED, offset=0, known=known)
        if found is None:
            raise CannotMeasure("the session has ended")
        return found.stamp

    stamp = await ours(None)
    list_by_hand = await _time(lambda: connection.fetch(LIST_BY_HAND, person.user_id, LISTED))
    page_by_hand = await _time(lambda: connection.fetch(PAGE_BY_HAND, long, PAGE))
    of_long = await _time(lambda: messages.page(connection, caller, long, None, 1 - PAGE, 0))
    of_short = await _time(lambda: messages.page(connection, caller, short, None, 1 - PAGE, 0))
    listed, unchanged, page, flat = cases
    listed.add(await _time(lambda: ours(None)), list_by_hand)
    unchanged.add(await _time(lambda: ours(stamp)), list_by_hand)
    page.add(of_long, page_by_hand)
    flat.add(of_long, of_short)


async def _time(work: Callable[[], Awaitable[object]]) -> float:
    """The median of many times, in milliseconds."""
    took: list[float] = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        await work()
        took.append((time.perf_counter() - begin) * 1000)
    return median(took)


async def _sizes(connection: Connection) -> list[tuple[int, int]]:
    return [(row["id"], row["last_seq"]) for row in await connection.fetch("SELECT id, last_seq FROM chats")]


def _fill(stage: Stage) -> None:
    """The one person in 1,000 chats, of which one is long and another less so."""
    say(f"making {CHATS:,} chats and {LONG:,} messages")
    path = stage.folder / "rooms.jsonl"
    remark = {"author": "person 0", "text": "I am here.", "sent_at": "2020-01-01T00:00:00Z"}
    path.write_text("".join(json.dumps({"room": f"room {n}", **remark}) + "\n" for n in range(CHATS)))
    done = stage.stack.command("load", str(path), "--workspace", "Bench", "--owner", "owner@bench.invalid")
    if done.returncode != 0:
        raise CannotMeasure(f"the chats cannot be made: {done.stderr.strip()}")

    async def fill(connection: Connection) -> None:
        ids = [chat_id for chat_id, _ in sorted(await _sizes(connection))]
        for chat_id, size in zip(ids, (LONG, SHORT), strict=False):
            await connection.execute(FILL, chat_id, size, stage.people[0].user_id, timeout=600)
        await connection.execute("VACUUM ANALYZE", timeout=600)

    stage.query(fill)


ROW = Row(11, "Reading lists and pages", measure)
