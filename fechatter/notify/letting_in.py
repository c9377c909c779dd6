"""The part of a turn in which connections become live, in the snapshot that the turn has just delivered.

Place            where the turn stands
refresh          read again what some users may see
let_in_at_once   attach connections that have caught up, if nothing has happened since
let_in           attach connections that wait
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fechatter.domain.people import Caller
from fechatter.notify.hub import MORE, Hub
from fechatter.notify.receiver import Receiver
from fechatter.notify.reception import Reception
from fechatter.notify.replaying import Replay
from fechatter.notify.session import Phase
from fechatter.store.database import Connection
from fechatter.store.log import replay as store
from fechatter.store.log.replay import Admission, Seen

LONGEST_REPLAY = 2_000
"""Missed events that a turn replays itself: if there are more, those who missed them catch up beside it once more."""
PATIENT_ROUNDS = 3
"""So often a connection is sent back to catch up; then the turn takes the time it needs."""


class Place(NamedTuple):
    """Where the turn stands: in the log of this epoch, with what is `seen` delivered.

    `floor`: below it, events were pruned.
    """

    epoch: str
    seen: Seen
    floor: int

    @property
    def watermark(self) -> int:
        """Every event with a lower xid has been delivered."""
        return self.seen.watermark


async def refresh(connection: Connection, hub: Hub, place: Place) -> None:
    """Read again what the hub's stale users may see. Who got something back had missed part of it, and reloads."""
    receivers = [receiver for user_id in hub.stale for receiver in hub.receivers_of(user_id)]
    if not receivers:
        hub.refreshed()
        return
    admissions = await store.admit(connection, {receiver.session.caller for receiver in receivers})
    hub.refreshed()
    for receiver in receivers:
        if receiver.session.caller not in admissions:
            receiver.refuse()
    for user_id, admission in {caller.user_id: admission for caller, admission in admissions.items()}.items():
        hub.set_workspaces(user_id, admission.workspaces)
        if hub.set_streams(user_id, admission.streams):
            for receiver in hub.receivers_of(user_id):
                receiver.session.give_up_replay(MORE)
                receiver.greet(receiver.session.go_live(place.epoch, place.watermark))


def let_in_at_once(hub: Hub, reception: Reception, visits: Mapping[Receiver, int], place: Place) -> None:
    """Attach those that have caught up with the very place where the turn stands. The others wait on.

    Whoever lost access otherwise than by the log, such as by signing out, is sent away all the same: that concerns all
    streams, live or not (chores.end_what_ended).
    """
    for receiver, visit in visits.items():
        if (welcome := reception.arrivals.get(receiver)) is None or receiver.session.visit != visit:
            continue
        here = (welcome.epoch, welcome.seen) == (place.epoch, place.seen)
        if here and receiver.session.phase is Phase.REPLAYING:
            del reception.arrivals[receiver]
            _attach(hub, receiver, welcome.admission, place)
        else:
            reception.arrivals[receiver] = None


async def let_in(
    connection: Connection, hub: Hub, reception: Reception, visits: Mapping[Receiver, int], place: Place
) -> None:
    """Attach connections that wait, each after what it missed while it caught up. If it fails, they wait on.

    `visits`: who waited when the turn began, each with its visit. One that came in anew since is not this turn's.
    """
    let_in_at_once(hub, reception, visits, place)
    batch = [each for each, visit in visits.items() if each in reception.arrivals and each.session.visit == visit]
    if not batch:
        return
    admissions = await store.admit(connection, {receiver.session.caller for receiver in batch})
    for receiver in batch:
        if receiver.session.caller not in admissions:
            receiver.refuse()
    admitted = [receiver for receiver in batch if receiver.session.caller in admissions]
    await _replay(connection, reception, admitted, admissions, visits, place)
    same = {receiver for receiver in batch if receiver.session.visit == visits[receiver]}
    for receiver in same:
        reception.arrivals.pop(receiver, None)
    for receiver in admitted:
        if receiver in same and receiver.session.ready:
            _attach(hub, receiver, admissions[receiver.session.caller], place)


def _attach(hub: Hub, receiver: Receiver, admission: Admission, place: Place) -> None:
    greeting = receiver.session.go_live(place.epoch, place.watermark)
    hub.attach(receiver, admission.streams)
    hub.set_workspaces(receiver.session.caller.user_id, admission.workspaces)
    if greeting:
        receiver.greet(greeting)  # which may fill its buffer, and detach it again


async def _replay(
    connection: Connection,
    reception: Reception,
    receivers: Sequence[Receiver],
    admissions: Mapping[Caller, Admission],
    visits: Mapping[Receiver, int],
    place: Place,
) -> None:
    """Send what returning connections missed since they caught up; send back those that missed much."""
    mine = [receiver for receiver in receivers if receiver.session.visit == visits[receiver]]
    for receiver in mine:
        receiver.session.give_up_replay_unless(place.epoch, place.floor)
    returning = [receiver for receiver in mine if receiver.session.since is not None]
    if not returning:
        return
    replay = Replay(connection, place.epoch, place.watermark, patience=0)
    missed = await replay.measure(returning, admissions, visits)
    if sum(missed.values()) > LONGEST_REPLAY:
        for receiver in missed:
            if missed[receiver] and receiver.session.rounds < PATIENT_ROUNDS and receiver.session.again():
                reception.leave(receiver)  # else, if this turn fails, it would be in both lines, and in the wrong one
                reception.enter(receiver)
    await replay.send()
