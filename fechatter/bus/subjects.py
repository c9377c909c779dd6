"""What travels over NATS, and on which subjects.

    fechatter.events.<workspace id>       news of a workspace and its chats
    fechatter.events.users.<shard>        news of people's own streams, in SHARDS parts
    fechatter.events.probe                nothing: whether JetStream takes messages
    fechatter.live                        ephemeral news, as JSON

News are places in the event log, `stream@position`, separated by blanks; never content. `Nats-Msg-Id` is the last of
them, and a place is in one message only.
"""

from collections.abc import Iterable

from fechatter.domain.events import stream_of_user
from fechatter.store.log.outbox import Written

ROOT = "fechatter.events"
ALL = f"{ROOT}.>"
NOTHING = f"{ROOT}.probe"
LIVE = "fechatter.live"
SHARDS = 64
MSG_ID = "Nats-Msg-Id"

_USER = stream_of_user(0)[:-1]


def of_workspace(workspace_id: int) -> str:
    return f"{ROOT}.{workspace_id}"


def of_user(user_id: int) -> str:
    return f"{ROOT}.users.{user_id % SHARDS}"


def of_event(event: Written) -> str:
    """A user's own stream is heard wherever the user is, also before they are in the workspace that it tells of."""
    if event.stream.startswith(_USER):
        return of_user(int(event.stream.removeprefix(_USER)))
    return of_workspace(event.workspace_id or 0)


def id_of(event: Written) -> str:
    return f"{event.stream}@{event.pos}"


def encode(events: Iterable[Written]) -> bytes:
    return " ".join(map(id_of, events)).encode()


def streams_in(payload: bytes) -> set[str]:
    """The streams that a message has news of. What is not understood is left out."""
    return {place.rpartition("@")[0] for place in payload.decode("ascii", "ignore").split(" ") if "@" in place}
