"""Whatever the order of posts, commits, joins, stalls, resumes and looks: nothing is lost, doubled or out of order."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from unittest.mock import patch

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter.domain.people import Caller
from fechatter.notify import fanout, letting_in, reception
from fechatter.notify.fanout import Fanout
from fechatter.notify.hub import Hub
from fechatter.notify.reception import Reception
from fechatter.notify.sequencer import Sequencer
from fechatter.notify.session import Had, Phase, Session
from fechatter.store.log import replay
from tests.unit.notify.world import Client, FakeLog, Wire, Wires, World, fake_connection, fake_database

USERS, CHATS = (1, 2), (11, 12)

Step = tuple[str, int, int]
OFTEN = {"write": 3, "turn": 3, "begin": 2, "commit": 2, "post": 2, "catch_up": 2, "read": 2}
ONCE = (
    *("abort", "add", "remove", "connect", "resume", "stall", "fill", "clog", "congest", "congest"),
    *("replace", "prune", "sign out", "recheck", "suspend", "readmit"),
)
WITHIN = (
    *("fail", "resume", "connect", "stall", "read", "catch_up", "catch_up", "post", "commit"),
    *("add", "remove", "prune", "sign out", "recheck", "suspend", "readmit"),
)
WHAT = [*ONCE, *(what for what, weight in OFTEN.items() for _ in range(weight)), *(f"during {what}" for what in WITHIN)]
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 3), st.integers(0, 3)), max_size=60)


class Play:
    """Real sequencer, hub, reception and sessions on a log in memory."""

    def __init__(self, limit: int) -> None:
        self.world = World()
        self.world.joined = {user: {} for user in USERS}
        for user in USERS:
            self.world.add(user, CHATS[0])
            self.world.readmit(user)
        self.log = FakeLog(limit)
        self.log.meanwhile = self.meanwhile
        self.later: list[Step] = []
        self.wires = Wires()
        self.hub = Hub(Fanout(self.wires.write, self.meanwhile))
        self.sequencer = Sequencer("", self.hub)
        self.reception = Reception(fake_database(self.world), self.sequencer.wake, replay_limit=1_000)
        self.clients = [Client(USERS[number % len(USERS)]) for number in range(4)]

    async def begin(self) -> None:
        """All devices are live, and all users in one chat."""
        await self.sequencer.turn(fake_connection(self.world), self.reception)
        for client in self.clients:
            self.connect(client)
        await self.sequencer.turn(fake_connection(self.world), self.reception)
        for client in self.clients:
            client.read(self.world)

    async def meanwhile(self) -> None:
        """While a statement of a transaction runs, others go on."""
        if self.later:
            await self._do(self.later.pop(0))

    async def do(self, step: Step) -> None:
        """The step; `during …` ones happen while the next turn or replay is under way."""
        what, one, two = step
        if what.startswith("during "):
            self.later.append((what.removeprefix("during "), one, two))
        else:
            await self._do(step)
        for client in self.clients:
            client.read(self.world)

    async def _do(self, step: Step) -> None:
        what, one, two = step
        if what == "fail":
            raise asyncpg.PostgresError("the connection is gone")
        if what == "turn":
            with suppress(asyncpg.PostgresError):
                await self.sequencer.turn(fake_connection(self.world), self.reception)
        elif what == "catch_up":
            await self.catch_up()
        elif what in ("connect", "resume", "stall", "fill", "clog", "congest", "read"):
            getattr(self, what)(self.clients[one])
        elif what in ("add", "remove", "sign out", "recheck", "suspend", "readmit"):
            self.change_access(what, USERS[one % 2], CHATS[two % 2])
        else:
            self.change(what, one, two)

    async def catch_up(self) -> None:
        """As the reception does it again and again, also after a failure."""
        group = self.reception.next_group()
        try:
            await self.reception.catch_up(group)
        except asyncpg.PostgresError:
            self.reception.again(group)

    def change(self, what: str, one: int, two: int) -> None:
        """Something happens in the database."""
        world, chat = self.world, CHATS[two % 2]
        running = sorted(world.running)
        xid = running[one % len(running)] if running else None
        match what:
            case "begin" if len(running) < 4:
                world.begin()
            case "post":
                self.post(chat)
            case "write" if xid is not None:
                world.write(xid, f"chat:{chat}")
            case "commit" | "abort" if xid is not None:
                world.end(xid, commit=what == "commit")
            case "prune":
                world.prune()
            case "replace":
                world.epoch = f"epoch{int(world.epoch[5:]) + 1}"
            case _:
                pass

    def change_access(self, what: str, user_id: int, chat: int) -> None:
        match what:
            case "add":
                self.world.add(user_id, chat)
            case "remove":
                self.world.remove(user_id, chat)
            case "sign out":
                self.world.sign_out(user_id)
            case "suspend":
                self.world.suspend(user_id)
            case "readmit":
                self.world.readmit(user_id)
            case _:
                self.recheck()

    def post(self, chat: int) -> None:
        """A message in a transaction of its own, if the chat's row is free."""
        xid = self.world.begin()
        self.world.end(xid, commit=self.world.write(xid, f"chat:{chat}") is not None)

    def connect(self, client: Client) -> None:
        """The device connects, with its cursor if it has one; a connection that it had is gone."""
        if client.wire is not None:
            client.wire.refuse()
        caller = Caller(client.user_id, self.world.session_of(client.user_id))
        wire = Wire(Session(caller, client.cursor, 15), self.hub.detach, self.leave, self.place)
        self.wires.add(wire)
        self.hub.fanout.add(wire)
        client.connect(wire)
        self.reception.enter(wire)

    def leave(self, wire: Wire) -> None:
        """The connection is gone."""
        self.withdraw(wire)
        self.hub.fanout.remove(wire)

    def withdraw(self, wire: Wire) -> None:
        """It gets nothing more, or nothing until it enters again."""
        self.hub.detach(wire)
        self.reception.leave(wire)

    def recheck(self) -> None:
        """Whose session has ended is sent away."""
        for client in self.clients:
            if client.wire is not None and client.wire.session.caller.session_id in self.world.ended:
                client.wire.refuse()

    def resume(self, client: Client) -> None:
        """The device asks to resume on its open connection."""
        wire = client.wire
        client.read(self.world)
        if wire is not None and client.cursor is not None and wire.session.phase is not Phase.ENDED:
            self.withdraw(wire)
            wire.session.resume(client.cursor)
            client.forget_order()
            if wire.session.phase is Phase.WAITING:
                self.reception.enter(wire)

    def stall(self, client: Client) -> None:
        """The device stops reading: its buffer is full."""
        if client.wire is not None and client.wire.session.phase is Phase.LIVE:
            client.wire.fall_behind(*self.place())

    def fill(self, client: Client) -> None:
        """The device reads slowly: its socket takes a part of the next write, or nothing."""
        if client.wire is not None and client.wire.session.phase is Phase.LIVE:
            client.wire.room = client.wire.fd % 3 * 20

    def clog(self, client: Client) -> None:
        """Something is buffered for the device already, so that nothing may go to its socket directly."""
        if client.wire is not None:
            self.hub.fanout.blocked.add(client.wire.fd)

    def congest(self, client: Client) -> None:
        """What is sent to the device next is more than it reads: a replay leaves it behind there."""
        if client.wire is not None:
            client.wire.congested = True

    def place(self) -> tuple[int, Had]:
        self.hub.fanout.finish()
        return self.sequencer.watermark, Had(self.sequencer.seen, dict(self.hub.sent))

    def read(self, client: Client) -> None:
        """A device that had stalled reads what was buffered."""
        wire = client.wire
        if wire is None:
            return
        wire.room, wire.congested = None, False
        self.hub.fanout.blocked.discard(wire.fd)
        if wire.session.phase is Phase.LAGGING:
            wire.session.drained()
            self.reception.enter(wire)

    async def settle(self) -> None:
        """End all transactions, let all devices read, until nothing moves."""
        for xid in list(self.world.running):
            self.world.end(xid)
        self.later.clear()
        self.recheck()
        for client in self.clients:
            client.read(self.world)
            self.read(client)
            if client.wire is not None and client.wire.session.phase is Phase.ENDED:
                self.connect(client)
        for _ in range(12):
            await self.catch_up()
            await self.sequencer.turn(fake_connection(self.world), self.reception)
        for client in self.clients:
            client.read(self.world)

    def check(self) -> None:
        for client in self.clients:
            if client.wire is not None:
                assert client.wire.session.phase is Phase.LIVE
                assert not client.missing(self.world, below=self.world.next_xid + 1)
                assert client.cursor is None or client.cursor.startswith(f"{self.world.epoch}.")


@asynccontextmanager
async def _begun(limit: int = 1_000, longest_replay: int = 1_000) -> AsyncGenerator[Play]:
    play = Play(limit)
    with (
        patch.multiple(
            replay,
            look=play.log.look,
            new_events=play.log.new_events,
            first_new=play.log.first_new,
            stream_new=play.log.stream_new,
            admit=play.log.admit,
            spans=play.log.spans,
            stream_spans=play.log.stream_spans,
        ),
        patch.object(letting_in, "LONGEST_REPLAY", longest_replay),
        patch.object(reception, "PATIENCE", 0),
        patch.object(fanout, "SLICE", 1),
    ):
        await play.begin()
        yield play


async def _play(steps: list[Step], limit: int, longest_replay: int) -> None:
    async with _begun(limit, longest_replay) as play:
        for step in steps:
            await play.do(step)
        await play.settle()
        play.check()


RETURN: list[Step] = [("connect", number, 0) for number in range(4)]
"""All devices come back, with a cursor."""


async def test_who_has_caught_up_comes_in_without_being_looked_up_again() -> None:
    async with _begun() as play:
        for step in [("post", 0, 0), ("turn", 0, 0), *RETURN, ("catch_up", 0, 0)]:
            await play.do(step)
        with patch.object(replay, "admit", side_effect=AssertionError("they are known")):
            await play.do(("turn", 0, 0))
        play.check()


@pytest.mark.parametrize("change", ["add", "post"])
async def test_what_happens_between_catching_up_and_coming_in_is_not_missed(change: str) -> None:
    """To be heard from then on, a chat that somebody joined in between must be known as theirs."""
    async with _begun() as play:
        for step in [*RETURN, ("catch_up", 0, 0), (change, 0, 1), ("post", 0, 0), ("turn", 0, 0), ("turn", 0, 0)]:
            await play.do(step)
        for step in [("post", 0, 1), ("turn", 0, 0)]:
            await play.do(step)
        play.check()


async def test_a_device_that_comes_in_takes_nothing_from_the_others_of_its_user() -> None:
    """What the user sees again is told to those who were there; it must not seem known because another one knows it."""
    async with _begun() as play:
        comes, number = [client for client in play.clients if client.user_id == 1][1], 2
        assert play.clients[number] is comes
        for step in [("suspend", 0, 0), ("turn", 0, 0), ("turn", 0, 0), ("connect", number, 0), ("readmit", 0, 0)]:
            await play.do(step)
        for step in [("catch_up", 0, 0), ("turn", 0, 0), ("turn", 0, 0), ("post", 0, 0), ("turn", 0, 0)]:
            await play.do(step)
        play.check()


async def test_who_falls_behind_before_they_were_told_what_they_see_again_is_told_later() -> None:
    async with _begun() as play:
        for step in [("suspend", 0, 0), ("turn", 0, 0), ("turn", 0, 0), ("fill", 0, 0), ("readmit", 0, 0)]:
            await play.do(step)
        for step in [("post", 0, 0), ("turn", 0, 0), ("read", 0, 0), ("catch_up", 0, 0), ("turn", 0, 0)]:
            await play.do(step)
        play.check()


async def test_who_leaves_while_it_is_found_out_what_they_missed_does_not_come_back() -> None:
    """Their socket's descriptor may be another's by then."""
    async with _begun(longest_replay=0) as play:
        for step in [("connect", 0, 0), ("catch_up", 0, 0), ("post", 0, 0), ("turn", 0, 0)]:
            await play.do(step)
        left = play.clients[0].wire
        assert left is not None
        padding: list[Step] = [("during read", 3, 0)] * 3  # the turn's other statements come first
        for step in [*padding, ("during connect", 0, 0), ("turn", 0, 0), ("catch_up", 0, 0), ("turn", 0, 0)]:
            await play.do(step)
        assert left.gone
        assert left.session.phase is Phase.ENDED
        await play.settle()
        play.check()


LIMITS = st.sampled_from([1, 3, 1_000])
LONGEST = st.sampled_from([0, 1_000])


@settings(max_examples=150)
@given(STEPS, LIMITS, LONGEST)
def test_any_interleaving_loses_nothing_and_no_cursor_runs_ahead(steps: list[Step], limit: int, longest: int) -> None:
    asyncio.run(_play(steps, limit, longest))


@settings(max_examples=150)
@given(st.integers(), LIMITS, LONGEST)
def test_nor_does_a_long_one(seed: int, limit: int, longest: int) -> None:
    """Long plays reach states that short ones do not; Hypothesis prefers short lists."""
    dice = random.Random(seed)
    steps = [(dice.choice(WHAT), dice.randrange(4), dice.randrange(4)) for _ in range(200)]
    asyncio.run(_play(steps, limit, longest))
