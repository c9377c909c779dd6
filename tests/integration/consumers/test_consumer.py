"""A consumer of the event log hears each event at least once, whatever dies, and one works at a time."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import asyncpg
import pytest

from fechatter.consumers import consumer as consumer_module
from fechatter.consumers import term
from fechatter.consumers.consumer import Consumer
from fechatter.consumers.handler import Away, Start, StartOver
from fechatter.domain.events import EventType
from fechatter.store import migrate
from fechatter.store.database import Connection
from fechatter.store.log import consumers as store
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.integration.consumers.recorder import Program, Recorder, running
from tests.integration.notify.town import append_by_hand
from tests.support import log
from tests.support.waiting import POLL_S, eventually
from tests.support.world import World


class Scene:
    """Somebody who posts in a chat, and consumers that listen."""

    def __init__(self, world: World, ada: Person, chat: Chat) -> None:
        self.world, self.ada, self.chat = world, ada, chat
        self.url = world.settings.server.db_url

    def consumer(self, recorder: Recorder, *, start: Start = Start.BEGINNING, batch: int = 500) -> Consumer:
        return Consumer(self.url, "test", recorder, start=start, batch=batch, poll_s=0.05)

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.ada.post(self.chat, text)

    async def standing(self) -> store.Standing:
        async with self.world.db.connection() as connection:
            return next(each for each in await store.standings(connection) if each.name == "test")

    async def until_caught_up(self) -> store.Standing:
        async def caught_up() -> store.Standing | None:
            standing = await self.standing()
            return standing if standing.behind == 0 else None

        return await eventually(caught_up, "caught up")

    async def nothing_is_pending(self) -> bool:
        """Transactions of others may have run beside the events; it must have seen that they have ended."""
        return await self.world.db.fetch_value("SELECT pending = '{}' FROM log_consumers WHERE name = 'test'")

    async def at_work(self, *consumers: Consumer) -> Consumer:
        async def found() -> Consumer | None:
            return next((each for each in consumers if each.at_work), None)

        return await eventually(found, "one of them works")

    async def listen_by_program(self) -> Program:
        async with self.world.db.connection() as connection:
            await connection.execute("CREATE TABLE heard (text text, pid int)")
        return Program(self.url)

    async def until_program_heard(self, count: int) -> None:
        async def heard() -> bool:
            return await self.world.db.fetch_value("SELECT count(DISTINCT text) >= $1 FROM heard", count)

        await eventually(heard, f"the program has heard {count}")


@pytest.fixture
async def scene(world: World) -> Scene:
    ada = await world.person("Ada")
    return Scene(world, ada, await ada.create_chat("PrivateChannel", "log"))


@pytest.fixture
async def late(scene: Scene) -> AsyncGenerator[Connection]:
    """A connection to hold transactions open with."""
    connection = await asyncpg.connect(scene.url)
    yield connection
    connection.terminate()


async def test_it_hears_all_from_the_beginning_and_goes_on_where_it_was(scene: Scene) -> None:
    await scene.say("one", "two")
    first, second = Recorder(), Recorder()
    async with running(scene.consumer(first)):
        await first.until("one", "two")
        await scene.until_caught_up()
    await scene.say("three")
    async with running(scene.consumer(second)):
        await second.until("three")
    assert first.heard == ["one", "two"]
    assert second.heard == ["three"]
    assert first.started_over == []


async def test_from_now_on_means_that_the_past_is_not_heard(scene: Scene) -> None:
    await scene.say("past")
    recorder = Recorder()
    consumer = scene.consumer(recorder, start=Start.NOW)
    async with running(consumer):
        await scene.at_work(consumer)
        await scene.say("present")
        await recorder.until("present")
    assert recorder.heard == ["present"]


async def test_what_commits_late_is_heard_and_what_was_rolled_back_holds_nothing_up(
    scene: Scene, late: Connection
) -> None:
    other = await scene.ada.create_chat("PrivateChannel", "other")
    recorder = Recorder()
    async with running(scene.consumer(recorder)):
        undone = await asyncpg.connect(scene.url)
        rolled_back = undone.transaction()
        await rolled_back.start()
        await append_by_hand(undone, other.id, scene.ada.id, "undone")
        await rolled_back.rollback()
        await undone.close()
        transaction = late.transaction()
        await transaction.start()
        await append_by_hand(late, other.id, scene.ada.id, "late")
        await scene.say("early")
        await recorder.until("early")
        await scene.until_caught_up()
        await transaction.commit()
        await recorder.until("late")
        await scene.until_caught_up()
    assert recorder.heard == ["early", "late"]


async def test_what_commits_late_is_heard_by_the_one_that_takes_over(scene: Scene, late: Connection) -> None:
    other = await scene.ada.create_chat("PrivateChannel", "other")
    transaction = late.transaction()
    await transaction.start()
    await append_by_hand(late, other.id, scene.ada.id, "late")
    await scene.say("early")
    first, second = Recorder(), Recorder()
    async with running(scene.consumer(first)):
        await first.until("early")
        await scene.until_caught_up()
    await transaction.commit()
    async with running(scene.consumer(second)):
        await second.until("late")
    assert (first.heard, second.heard) == (["early"], ["late"])


async def test_a_backlog_comes_in_batches_with_late_commits_among_them(scene: Scene, late: Connection) -> None:
    others = [await scene.ada.create_chat("PrivateChannel", f"other {n}") for n in range(12)]
    open_ones: list[Connection] = []
    for n, other in enumerate(others):
        connection = await asyncpg.connect(scene.url)
        await connection.execute("BEGIN")
        await append_by_hand(connection, other.id, scene.ada.id, f"late {n}")
        open_ones.append(connection)
        await scene.say(f"early {n}")
    first, second = Recorder(), Recorder()
    async with running(scene.consumer(first, batch=3)):
        await first.until(*(f"early {n}" for n in range(12)))
        await scene.until_caught_up()
    for connection in open_ones:
        await connection.execute("COMMIT")
        await connection.close()
    await scene.say(*(f"later {n}" for n in range(12)))
    async with running(scene.consumer(second, batch=3)):
        await second.until(*(f"late {n}" for n in range(12)), *(f"later {n}" for n in range(12)))
        await scene.until_caught_up()
    assert sorted(first.heard) == sorted(f"early {n}" for n in range(12))
    assert sorted(second.heard) == sorted(f"{kind} {n}" for kind in ("late", "later") for n in range(12))


async def test_a_transaction_larger_than_a_batch_comes_whole(scene: Scene) -> None:
    """Half of one could not be told from a whole one by a checkpoint that knows transactions."""
    crowd = await scene.world.crowd(30)
    recorder = Recorder()
    async with running(scene.consumer(recorder, batch=4)):
        answer = await scene.ada.ask("POST", f"/api/chats/{scene.chat.id}/members", {"user_ids": crowd})
        assert answer.status == 201
        await scene.say("after")
        await recorder.until("after")
    added = [event for event in recorder.events if event.type == EventType.MEMBER_ADDED]
    assert len(added) == 30
    assert len({event.xid for event in added}) == 1


async def test_it_hears_only_the_types_it_asked_for_and_still_moves_on(scene: Scene) -> None:
    recorder = Recorder()
    consumer = Consumer(scene.url, "test", recorder, start=Start.BEGINNING, types=["chat.created"], poll_s=0.05)
    await scene.say("unheard")
    async with running(consumer):
        await scene.at_work(consumer)
        await scene.until_caught_up()
    assert {event.type for event in recorder.events} == {"chat.created"}


async def test_kill_9_in_the_middle_loses_nothing(scene: Scene) -> None:
    texts = [f"message {n}" for n in range(100)]
    program = await scene.listen_by_program()
    try:
        for n, text in enumerate(texts, 1):
            await scene.say(text)
            if n % 25 == 0:
                await scene.until_program_heard(n - 20)  # and is about to hear the next
                program.kill()
                program = Program(scene.url)
        await scene.until_program_heard(len(texts))
    finally:
        program.kill()
    rows = await scene.world.db.fetch("SELECT DISTINCT text FROM heard")
    assert {row["text"] for row in rows} == set(texts)


async def test_two_at_once_take_turns_and_the_other_takes_over(scene: Scene) -> None:
    recorders = [Recorder(), Recorder()]
    consumers = [scene.consumer(recorder) for recorder in recorders]
    async with running(consumers[1]):
        async with running(consumers[0]):
            worker = await scene.at_work(*consumers)
            await scene.say("one", "two", "three")
            await recorders[consumers.index(worker)].until("one", "two", "three")
            await scene.until_caught_up()
            assert sum(each.at_work for each in consumers) == 1
        await scene.at_work(consumers[1])
        await scene.say("four")
        await recorders[1].until("four")
    assert sorted(recorders[0].heard + recorders[1].heard) == ["four", "one", "three", "two"]


async def test_who_stands_still_with_the_name_loses_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process keeps its connection, and with it the lock: only its missing beat tells."""
    program = await scene.listen_by_program()
    try:
        await scene.say("one")
        await scene.until_program_heard(1)
        await scene.until_caught_up()
        program.stop()
        await scene.say("two")
        monkeypatch.setattr(consumer_module, "STALE", timedelta(seconds=1))
        recorder = Recorder()
        async with running(scene.consumer(recorder)):
            await recorder.until("two")
    finally:
        program.kill()


async def test_when_the_connection_breaks_the_work_is_broken_off_and_done_again(scene: Scene) -> None:
    began, release = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def handle(self, events: object) -> None:
            began.set()
            await release.wait()
            await super().handle(events)  # pyright: ignore[reportArgumentType]

    recorder = Slow()
    async with running(scene.consumer(recorder)):
        await scene.say("one")
        await began.wait()
        began.clear()
        await scene.world.db.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fechatter consumer test'"
        )
        await began.wait()
        release.set()
        await recorder.until("one")
        await scene.until_caught_up()
    assert recorder.heard == ["one"]


async def test_while_the_other_side_is_away_nothing_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "LONGEST_PAUSE_S", 0.02)
    recorder = Recorder()
    recorder.failing = Away("on holiday")
    async with running(scene.consumer(recorder)):
        await scene.say("one", "two")
        await recorder.until_called(term.TRIES_ALONE + 5)
        standing = await scene.standing()
        assert standing.failure == "Away: on holiday"
        assert standing.failing_since is not None
        assert standing.behind >= 2
        recorder.failing = None
        await recorder.until("one", "two")
        standing = await scene.until_caught_up()
    assert (standing.failure, standing.failing_since, standing.set_aside) == (None, None, 0)


async def test_a_poison_event_is_set_aside_and_the_others_are_handled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "LONGEST_PAUSE_S", 0.02)
    recorder = Recorder()
    recorder.poison = {"poison"}
    await scene.say("one", "poison", "two")
    async with running(scene.consumer(recorder)):
        await recorder.until("one", "two")
        assert (await scene.until_caught_up()).set_aside == 1
        await scene.say("three")
        await recorder.until("three")
    assert "poison" not in recorder.heard


async def test_a_failing_handler_is_not_asked_in_a_hot_loop(scene: Scene) -> None:
    recorder = Recorder()
    recorder.failing = Away("on holiday")
    await scene.say("one")
    consumer = scene.consumer(recorder)
    async with running(consumer):
        while recorder.calls < 4:
            consumer.wake()  # hints do not shorten the pauses
            await asyncio.sleep(POLL_S / 4)
    assert recorder.calls == 4


async def test_another_epoch_makes_it_start_over(scene: Scene) -> None:
    first, second = Recorder(), Recorder()
    await scene.say("one")
    async with running(scene.consumer(first)):
        await first.until("one")
        await scene.until_caught_up()
        async with scene.world.db.connection() as connection:
            await migrate.new_epoch(connection)
        await scene.say("two")
        await first.until_started_over()
        await scene.say("three")
        await first.until("three")
    async with running(scene.consumer(second)):
        await scene.say("four")
        await second.until("four")
    assert first.started_over == [StartOver.NEW_EPOCH]
    assert second.started_over == []


async def test_after_a_log_of_another_cluster_it_starts_over_once(scene: Scene) -> None:
    recorder = Recorder()
    async with running(scene.consumer(recorder)):
        await scene.say("one")
        await recorder.until("one")
        await scene.until_caught_up()
    async with scene.world.db.connection() as connection:
        await log.come_from_afar(connection)
    async with running(scene.consumer(recorder)):
        await recorder.until_started_over()
        await scene.say("two")
        await recorder.until("two")
    assert recorder.started_over == [StartOver.NEW_EPOCH]


async def test_a_checkpoint_older_than_the_log_makes_it_start_over(scene: Scene) -> None:
    first, second = Recorder(), Recorder()
    await scene.say("one")
    async with running(scene.consumer(first)):
        await first.until("one")
        await scene.until_caught_up()
    await scene.say("pruned")
    await log.forget(scene.world.db)
    async with running(scene.consumer(second)):
        await second.until_started_over()
        await scene.say("two")
        await second.until("two")
    assert second.started_over == [StartOver.PRUNED]


async def test_the_beginning_of_a_log_that_was_pruned_is_no_beginning(scene: Scene) -> None:
    await scene.say("pruned")
    await log.forget(scene.world.db)
    recorder = Recorder()
    async with running(scene.consumer(recorder)):
        await recorder.until_started_over()
        await scene.say("two")
        await recorder.until("two")
    assert recorder.started_over == [StartOver.PRUNED]


async def test_a_quiet_log_that_is_pruned_behind_it_is_no_reason_to_start_over(scene: Scene) -> None:
    recorder = Recorder()
    await scene.say("one")
    async with running(scene.consumer(recorder)):
        await recorder.until("one")
        await scene.until_caught_up()
        await eventually(scene.nothing_is_pending, "it waits for no transaction of anybody's")
        await log.forget(scene.world.db)
        await scene.say("two")
        await recorder.until("two")
    assert recorder.started_over == []
