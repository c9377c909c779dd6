"""Say what happened in a workspace to those who may know.

tell_workspace   one event, to the workspace's stream and to the guests whom it concerns
tell_of_user     user.updated, in all workspaces of the user

Guests do not hear a workspace's stream, since they know only those with whom they share a chat: what they may know goes
to their own streams.
"""

from collections.abc import Collection

from fechatter.domain.events import Event, EventType, Payload, stream_of_user, stream_of_workspace
from fechatter.domain.people import User
from fechatter.store.database import Connection
from fechatter.store.log import event_log
from fechatter.store.workspaces import workspaces


async def tell_workspace(
    tx: Connection,
    workspace_id: int,
    type_: EventType,
    payload: Payload,
    *,
    about: int | None = None,
    also: Collection[int] = (),
) -> int:
    """Append the event to the stream of the workspace and of its guests; return its position in the workspace's.

    about   a user: only guests who share a chat with this one hear it; None: all guests do
    also    users who hear it on their own stream whatever they are in the workspace
    """
    guests = await workspaces.guests(tx, workspace_id, about)
    streams = [stream_of_workspace(workspace_id), *map(stream_of_user, sorted({*guests, *also}))]
    pos, *_ = await event_log.append(tx, [_event(stream, type_, payload, workspace_id) for stream in streams])
    return pos


async def tell_of_user(tx: Connection, user: User, workspace_ids: Collection[int]) -> None:
    """Append user.updated for everyone who can see the user, and for the user's other devices."""
    guests = {guest for id_ in workspace_ids for guest in await workspaces.guests(tx, id_, user.id)}
    events = [_event(stream_of_workspace(id_), EventType.USER_UPDATED, user, id_) for id_ in workspace_ids]
    events += [_event(stream_of_user(id_), EventType.USER_UPDATED, user) for id_ in sorted({*guests, user.id})]
    await event_log.append(tx, events)


def _event(stream: str, type_: EventType, payload: Payload, workspace_id: int | None = None) -> Event:
    return Event(stream=stream, type=type_, payload=payload, workspace_id=workspace_id)
