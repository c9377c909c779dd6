"""Row 5: durable posts a second through HTTP, against pgbench with the same SQL.

Ours: fechatter_server and PostgreSQL as `fechatter up` runs them, 64 clients in 64 chats, each waiting for its answer.
Floor: pgbench with the very statement that posting runs, one draft in each, as many clients as our pool has
connections, the same database, the notify trigger off. All of it shares the machine's cores, the clients too.

Two more floors, so that nothing is hidden: the same statement with 32 drafts in each (what batching can give at most),
and the shortest SQL that writes the same rows and checks nothing.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from bench.figures import CannotMeasure, Case, Plan, Row
from bench.native import program
from bench.pgbench import Pgbench, spelled
from bench.stage import Stage, say
from fechatter.config import Database
from fechatter.domain.vectors import indexed
from fechatter.store.messages import posting

CLIENTS = 64
BATCH = 32
TEXT = "Measured: a message of a length that people write, neither a word nor a page."
LEAN = f"""
WITH chat AS (
    UPDATE chats SET last_seq = last_seq + 1, last_pos = last_pos + 1, active_at = clock_timestamp()
    WHERE id = :chat RETURNING id, workspace_id, last_seq, last_pos
), message AS (
    INSERT INTO messages (workspace_id, chat_id, seq, sender_id, content, idempotency_key, draft_digest)
    SELECT workspace_id, id, last_seq, :member, '{TEXT}', 'pg-' || (:k)::text, sha256('') FROM chat RETURNING *
), event AS (
    INSERT INTO events (stream, pos, workspace_id, type, chat_id, message_id)
    SELECT 'chat:' || chat.id, last_pos, chat.workspace_id, 'message.created', chat.id, message.id FROM chat, message
), own_read AS (
    UPDATE chat_members cm SET last_read_seq = m.seq, read_at = m.created_at
    FROM message m WHERE cm.chat_id = :chat AND cm.user_id = :member
)
SELECT * FROM message;
"""


def measure(plan: Plan) -> Iterator[Case]:
    one = _case("64 clients", "pgbench, the same SQL", good=0.3, goal=0.7)
    many = _case("64 clients, for comparison", f"pgbench, the same SQL, {BATCH} drafts a statement")
    lean = _case("64 clients, for comparison", "pgbench, the shortest SQL, unchecked")
    clients = program("post_clients")
    with Stage.up(CLIENTS, CLIENTS) as stage:
        pgbench = Pgbench.find(stage.stack.database_url)
        file = _clients_file(stage)
        pool = Database().pool_size
        _ours(clients, stage, file, 2)
        for number in range(1, plan.rounds + 1):
            ours, note = _ours(clients, stage, file, plan.seconds)
            _notify(stage, on=False)
            floor = pgbench.run(_script(stage, 1), clients=pool, seconds=plan.seconds)
            batched = pgbench.run(_script(stage, BATCH), clients=2, seconds=plan.seconds) * BATCH
            shortest = pgbench.run(_lean_script(stage), clients=pool, seconds=plan.seconds)
            _notify(stage, on=True)
            for case, figure in ((one, floor), (many, batched), (lean, shortest)):
                case.add(ours, figure, note if case is one else "")
            say(f"round {number}: ours {ours:,.0f}, pgbench {floor:,.0f}, {batched:,.0f}, {shortest:,.0f} posts/s")
    yield from (one, many, lean)


def _case(name: str, against: str, good: float | None = None, goal: float | None = None) -> Case:
    return Case(row=5, name=name, against=against, unit="posts/s", good=good, goal=goal)


def _clients_file(stage: Stage) -> Path:
    path = stage.folder / "clients"
    path.write_text("".join(f"{person.token} {person.chat_id}\n" for person in stage.people))
    return path


def _ours(clients: Path, stage: Stage, file: Path, seconds: float) -> tuple[float, str]:
    done = subprocess.run(
        [clients, str(stage.stack.api_port), str(seconds), file], capture_output=True, text=True, check=False
    )
    words = done.stdout.split()
    if done.returncode != 0:
        raise CannotMeasure(f"posting failed: {done.stdout.strip()} {done.stderr.strip()[:300]}")
    said = dict(zip(words[::2], words[1::2], strict=True))
    note = f"p50 {said['p50_ms']} ms, p99 {said['p99_ms']} ms, clients' CPU {float(said['cpu_s']) / seconds:.0%}"
    return float(said["created"]) / float(said["seconds"]), note


def _notify(stage: Stage, *, on: bool) -> None:
    async def switch(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        await connection.execute(f"ALTER TABLE events {'ENABLE' if on else 'DISABLE'} TRIGGER events_notify")

    stage.query(switch)


def one_draft(stage: Stage, statement: str) -> str:
    """A script that posts a message by `statement`, which takes the parameters of posting.POST."""
    return _script(stage, 1, statement)


def _script(stage: Stage, drafts: int, statement: str = posting.POST[False, False, False]) -> str:
    """Each execution posts `drafts` messages in chats of their own; two clients never meet in a large one."""
    numbers = range(drafts)
    spelled_out = indexed(TEXT).vector.replace("'", "''")
    values = {
        1: ", ".join(map(str, numbers)),
        2: ", ".join(f":chat + {n}" for n in numbers),
        3: ", ".join(f":member + {n}" for n in numbers),
        4: ", ".join(f":session + {n}" for n in numbers),
        5: ", ".join(f"'{TEXT}'" for _ in numbers),
        6: ", ".join(f"'pg-' || (:k)::text || '-{n}'" for n in numbers),
        7: ", ".join("NULL" for _ in numbers),
        8: ", ".join(r"'\x000102030405060708090a0b0c0d0e0f'" for _ in numbers),
        9: "",
        10: "",
        11: ", ".join(f"'{spelled_out}'" for _ in numbers),
    }
    first = "random(0, 63)" if drafts == 1 else f":client_id * {drafts}"
    return _variables(stage, first) + spelled(statement, values)


def _lean_script(stage: Stage) -> str:
    return _variables(stage, "random(0, 63)") + " ".join(LEAN.split()) + "\n"


def _variables(stage: Stage, first: str) -> str:
    """People, sessions and chats were made in one go, so that their numbers run in parallel."""
    one = stage.people[0]
    for n, person in enumerate(stage.people):
        if (person.user_id, person.session_id, person.chat_id) != (
            one.user_id + n,
            one.session_id + n,
            one.chat_id + n,
        ):
            raise CannotMeasure("the numbers of people, sessions and chats do not run in parallel")
    return (
        f"\\set n {first}\n\\set chat {one.chat_id} + :n\n\\set member {one.user_id} + :n\n"
        f"\\set session {one.session_id} + :n\n\\set k random(1, 9000000000000000000)\n"
    )


ROW = Row(5, "Durable posts a second through HTTP", measure)
