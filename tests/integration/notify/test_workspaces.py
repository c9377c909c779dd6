"""Who comes back to a workspace hears it from the return on, live and on replay alike, and nothing of the time away."""

import pytest

from fechatter.actions.chats.create_chat import ChatPlan, create_chat
from fechatter.actions.workspaces.accept_invite import accept_invite
from fechatter.actions.workspaces.change_member import change_member
from fechatter.actions.workspaces.create_workspace import create_workspace
from fechatter.actions.workspaces.invite import invite
from fechatter.actions.workspaces.leave_workspace import leave_workspace
from fechatter.actions.workspaces.update_workspace import update_workspace
from fechatter.domain.chats import ChatType
from fechatter.domain.people import UserStatus, WorkspaceRole
from fechatter.store.workspaces import workspaces
from tests.clients.sse import Event, EventStream
from tests.integration.notify.town import Person, Town

RETURN = ["workspace.member_added", "workspace.updated"]


async def admin_of(town: Town) -> Person:
    admin = await town.person()
    async with town.database.transaction() as tx:
        await workspaces.set_standing(tx, town.workspace_id, admin.id, WorkspaceRole.ADMIN, UserStatus.ACTIVE)
    return admin


async def resident(town: Town) -> tuple[Person, int]:
    """Someone whose session outlives their place in the town: they have another workspace."""
    person = await town.person()
    elsewhere = await create_workspace(town.database, person.caller, "Elsewhere", None)
    return person, elsewhere.id


async def rename(town: Town, admin: Person, *names: str) -> None:
    for name in names:
        await update_workspace(town.database, admin.caller, town.workspace_id, name, None)


async def removed(town: Town, stream: EventStream, person: Person, elsewhere: int) -> None:
    """Return when the stream has told of the removal and hears the town no more."""
    await stream.until(lambda event: event.envelope.stream == f"user:{person.id}", "the removal")
    for name in ("One turn", "The turn after it"):
        await update_workspace(town.database, person.caller, elsewhere, name, None)
        await renamed(stream, name)


async def come_back(town: Town, admin: Person, person: Person) -> None:
    _, code = await invite(
        town.database,
        admin.caller,
        town.workspace_id,
        role=WorkspaceRole.MEMBER,
        email=None,
        max_uses=1,
        expires_in_s=60,
        members_may_invite=False,
    )
    await accept_invite(town.database, person.caller, code)


async def single(town: Town, one: Person, other: Person) -> int:
    plan = ChatPlan(type=ChatType.SINGLE, name="", others=(other.id,), workspace_id=town.workspace_id, description=None)
    chat, _ = await create_chat(town.database, one.caller, plan)
    return chat.id


def of_the_town(town: Town, stream: EventStream) -> list[Event]:
    return [event for event in stream.events if event.envelope.stream == f"workspace:{town.workspace_id}"]


async def renamed(stream: EventStream, name: str) -> Event:
    return await stream.until(lambda event: event.kind == "workspace.updated" and name.encode() in event.raw, name)


async def test_a_workspace_joined_again_is_heard_from_the_return_on(town: Town) -> None:
    admin, (eve, elsewhere) = await admin_of(town), await resident(town)
    async with town.listen(eve) as stream:
        cursor = (await stream.hello()).cursor
        await rename(town, admin, "missed")
        await renamed(stream, "missed")
        await leave_workspace(town.database, admin.caller, town.workspace_id, eve.id)
        await removed(town, stream, eve, elsewhere)
        await rename(town, admin, "while away", "still away")
        await come_back(town, admin, eve)
        del stream.positions[f"workspace:{town.workspace_id}"]  # it leaps to the own workspace.member_added
        await rename(town, admin, "back")
        live = await renamed(stream, "back")
        assert [event.kind for event in of_the_town(town, stream)[-2:]] == RETURN
        assert not any(b"away" in event.raw for event in stream.events)
    async with town.listen(eve, cursor=cursor) as replayed:
        await replayed.hello()
        again = await renamed(replayed, "back")
        assert [event.kind for event in of_the_town(town, replayed)] == RETURN
        assert again.place == live.place


@pytest.mark.parametrize(
    ("role", "status"), [(WorkspaceRole.GUEST, None), (None, UserStatus.SUSPENDED)], ids=["guest", "suspended"]
)
async def test_who_was_a_guest_or_suspended_gets_on_replay_what_came_after(
    town: Town, role: WorkspaceRole | None, status: UserStatus | None
) -> None:
    admin, (eve, _) = await admin_of(town), await resident(town)
    async with town.listen(eve) as stream:
        cursor = (await stream.hello()).cursor
    await change_member(town.database, admin.caller, town.workspace_id, eve.id, role, status)
    await rename(town, admin, "not for them")
    back = role and WorkspaceRole.MEMBER, status and UserStatus.ACTIVE
    await change_member(town.database, admin.caller, town.workspace_id, eve.id, *back)
    await rename(town, admin, "back")
    async with town.listen(eve, cursor=cursor) as replayed:
        await replayed.hello()
        await renamed(replayed, "back")
        told = [event.kind for event in of_the_town(town, replayed)]
        assert told == ["workspace.member_updated", "workspace.updated"]


async def test_who_joins_a_workspace_again_is_told_to_load_the_single_chats_that_were_kept_and_hears_them(
    town: Town,
) -> None:
    admin, (eve, elsewhere) = await admin_of(town), await resident(town)
    chat = await single(town, admin, eve)
    async with town.listen(eve) as stream:
        await stream.hello()
        await town.post(admin, chat, "before")
        await stream.message("before")
        await leave_workspace(town.database, admin.caller, town.workspace_id, eve.id)
        await removed(town, stream, eve, elsewhere)
        await come_back(town, admin, eve)
        await stream.until(lambda event: event.kind == "resync_required", "resync_required")
        await town.post(admin, chat, "welcome back")
        await stream.message("welcome back")
