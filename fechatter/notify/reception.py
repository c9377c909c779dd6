"""Connections on their way in: who waits for the sequencer's turn, and who catches up first.

Reception.enter     a connection wants to become live
Reception.arrivals  those that the sequencer's next turn makes live
Reception.run       let returning clients catch up, group by group, beside the sequencer
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import asyncpg

from fechatter import logs
from fechatter.domain.errors import Unavailable
from fechatter.domain.people import Caller
from fechatter.notify.packing import Greeting, greet
from fechatter.notify.receiver import Receiver
from fechatter.notify.replaying import PATIENCE, Replay
from fechatter.notify.session import TOO_MUCH, Phase
from fechatter.store.database import Database
from fechatter.store.log import replay as store
from fechatter.store.log.replay import Admission, Seen

GROUP = 1_000
"""How many connections one replay serves at most: they are greeted, and sent what they missed, in one go."""
GATHER_S = 0.1
"""While many come back, a replay is followed by a pause as long as itself, up to this: the next one is for many."""
ARRIVALS_A_TURN = 500
AT_ONCE = 2
"""How many replays run at a time; each holds a connection to the database."""

log = logs.get(__name__)


class Welcome(NamedTuple):
    """What one that has caught up with all that is `seen` may see, for as long as nothing more has happened."""

    admission: Admission
    epoch: str
    seen: Seen


class Reception:
    """Connections that are not live yet.

    arrivals     ready for the sequencer's next turn, in order of arrival; None: what it may see must be looked up
    replay_limit the most events that are replayed to one connection; beyond it, resync_required
    """

    def __init__(self, database: Database, wake: Callable[[], None], replay_limit: int) -> None:
        self.arrivals: dict[Receiver, Welcome | None] = {}
        self.replay_limit = replay_limit
        self._database = database
        self._wake = wake
        self._returning: dict[Receiver, None] = {}
        self._some_returned = asyncio.Event()

    def enter(self, receiver: Receiver) -> None:
        """Let `receiver` become live; what it missed is replayed to it before."""
        if receiver.session.returning:
            self._returning[receiver] = None
            self._some_returned.set()
        else:
            self.arrive(receiver)

    def arrive(self, receiver: Receiver, welcome: Welcome | None = None) -> None:
        """Let `receiver` become live at the sequencer's next turn."""
        self.arrivals[receiver] = welcome
        self._wake()

    def waiting(self) -> dict[Receiver, int]:
        """Whom the sequencer's next turn lets in, those that came first, with their visits."""
        return {each: each.session.visit for each in itertools.islice(self.arrivals, ARRIVALS_A_TURN)}

    def know(self, receivers: Iterable[Receiver]) -> bool:
        """Whether it is known what all of these may see."""
        return all(self.arrivals.get(each) is not None for each in receivers)

    def leave(self, receiver: Receiver) -> None:
        """`receiver` is gone."""
        self.arrivals.pop(receiver, None)
        self._returning.pop(receiver, None)

    async def run(self) -> None:
        """Replay to whoever returns, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            await self._some_returned.wait()
            group, began = self.next_group(), time.monotonic()
            try:
                await self.catch_up(group)
            except (Unavailable, asyncpg.PostgresError) as error:
                log.warning("replay.failed", error=type(error).__name__, connections=len(group))
                await asyncio.sleep(1)
                self.again(group)
            if self._returning:
                await asyncio.sleep(min(time.monotonic() - began, GATHER_S))

    def next_group(self) -> list[Receiver]:
        """Those that came back first, no longer waiting."""
        group = list(itertools.islice(self._returning, GROUP))
        for receiver in group:
            del self._returning[receiver]
        if not self._returning:
            self._some_returned.clear()
        return group

    def again(self, group: Iterable[Receiver]) -> None:
        """Their replay broke off: they come first no longer, but they come."""
        for receiver in group:
            if receiver.session.phase in (Phase.WAITING, Phase.REPLAYING) and receiver not in self.arrivals:
                self._returning[receiver] = None
        if self._returning:
            self._some_returned.set()

    async def catch_up(self, group: list[Receiver]) -> None:
        """Bring a group up to this moment; what happens meanwhile is left to the sequencer's turn."""
        came = {each: each.session.visit for each in group}
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            position = await store.look(connection)
            admissions = await store.admit(connection, {each.session.caller for each in group})
            # Who has asked to resume since the group was made waits in line again.
            here = [each for each in group if each.session.visit == came[each]]
            admitted = [each for each in here if _is_let_in(each, each.session.caller in admissions)]
            greetings = {
                each: Greeting(each.session.visit, frames)
                for each in admitted
                if (frames := each.session.judge(position))
            }
            visits = {each: each.session.visit for each in admitted}
            welcomes = {caller: Welcome(each, position.epoch, position.seen) for caller, each in admissions.items()}
            watermark = position.seen.watermark
            try:
                for peers in _of_like_age(admitted, watermark):
                    replay = Replay(connection, position.epoch, watermark, PATIENCE, greetings)
                    await self._replay(replay, peers, visits, admissions)
                    self._caught_up(peers, visits, welcomes)
            finally:
                greet(greetings)
        self._caught_up([each for each in admitted if each not in self.arrivals], visits, welcomes)

    async def _replay(
        self,
        replay: Replay,
        peers: list[Receiver],
        visits: Mapping[Receiver, int],
        admissions: Mapping[Caller, Admission],
    ) -> None:
        for receiver, missed in (await replay.measure(peers, admissions, visits)).items():
            if missed > self.replay_limit:
                receiver.session.give_up_replay(TOO_MUCH)
        await replay.send()

    def _caught_up(
        self, receivers: Iterable[Receiver], visits: Mapping[Receiver, int], welcomes: Mapping[Caller, Welcome]
    ) -> None:
        """All that these missed has been sent, whatever becomes of the others."""
        for receiver in receivers:
            if receiver.session.phase is Phase.REPLAYING and receiver.session.visit == visits[receiver]:
                welcome = welcomes[receiver.session.caller]
                receiver.session.replayed(welcome.seen)
                self.arrive(receiver, welcome)


def _is_let_in(receiver: Receiver, admitted: bool) -> bool:
    if receiver.session.phase is Phase.ENDED:
        return False
    if not admitted:
        receiver.refuse()
    return admitted


def _of_like_age(receivers: list[Receiver], watermark: int) -> list[list[Receiver]]:
    """Groups that have missed about as much (within a factor of two), so that one query fits them all."""
    groups: dict[int, list[Receiver]] = {}
    for receiver in receivers:
        if (since := receiver.session.since) is not None:
            groups.setdefault(max(0, watermark - since).bit_length(), []).append(receiver)
    return list(groups.values())
