"""Who loses access stops receiving at once, on open streams and on replay; who gains it starts without reconnecting."""

import pytest

from fechatter.actions.chats.add_members import add_members
from fechatter.actions.chats.remove_member import remove_member
from fechatter.actions.workspaces.change_member import change_member
from fechatter.domain.people import UserStatus, WorkspaceRole
from fechatter.store.people import sessions
from fechatter.store.workspaces import workspaces
from tests.clients.sse import Disconnected, Refused
from tests.integration.notify.town import Town


async def test_a_removed_member_hears_the_removal_and_nothing_more(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    chat = await town.chat(ada, bob, eve)
    async with town.listen(eve) as stream:
        cursor = (await stream.hello()).cursor
        await town.post(ada, chat, "before")
        await remove_member(town.database, ada.caller, chat, eve.id)
        await town.post(ada, chat, "after")
        last = await stream.until(lambda event: event.kind == "member.removed", "member.removed")
        assert last.envelope.stream == f"user:{eve.id}"
        other = await town.chat(ada, eve)
        await town.post(ada, other, "elsewhere")
        await stream.message("elsewhere")
        assert not any(b"after" in event.raw for event in stream.events)
    async with town.listen(eve, cursor=cursor) as stream:
        await stream.hello()
        await stream.message("elsewhere")
        assert not any(event.envelope.stream == f"chat:{chat}" for event in stream.events)


async def test_a_member_who_returns_gets_the_chat_from_the_return_on(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    chat = await town.chat(ada, bob, eve)
    async with town.listen(eve) as stream:
        cursor = (await stream.hello()).cursor
        await town.post(ada, chat, "first")
        await remove_member(town.database, ada.caller, chat, eve.id)
        await town.post(ada, chat, "while away")
        await add_members(town.database, ada.caller, chat, [eve.id])
        await town.post(ada, chat, "back")
        await stream.until(lambda event: event.kind == "member.removed", "member.removed")
        del stream.positions[f"chat:{chat}"]  # contiguous again from member.added on
        back = await stream.until(lambda event: b'"back"' in event.raw, "the message after the return")
    async with town.listen(eve, cursor=cursor) as replayed:
        await replayed.hello()
        await replayed.message("back")
        heard = [event for event in replayed.events if event.envelope.stream == f"chat:{chat}"]
        assert [event.kind for event in heard] == ["member.added", "message.created"]
        assert heard[-1].place == back.place


async def test_signing_out_ends_that_sessions_streams_and_no_other(town: Town) -> None:
    ada = await town.person()
    other = await town.session_of(ada.id)
    chat = await town.chat(ada)
    async with town.listen(ada) as ends, town.listen(other) as stays:
        await ends.hello()
        await stays.hello()
        async with town.database.transaction() as tx:
            await sessions.end(tx, ada.caller.session_id)
        last = await ends.until(lambda event: event.kind == "goodbye", "goodbye")
        assert b'"code":4403' in last.raw
        assert b'"reconnect":false' in last.raw
        with pytest.raises(Disconnected):
            await ends.next()
        await town.post(other, chat, "still here")
        await stays.message("still here")
    with pytest.raises(Refused) as refused:
        async with town.listen(ada):
            pass
    refused.value.answer.problem(401, "unauthenticated")


async def test_a_user_suspended_by_the_operator_is_cut_off(town: Town) -> None:
    ada = await town.person()
    async with town.listen(ada) as stream:
        await stream.hello()
        async with town.database.connection() as connection:
            await connection.execute("UPDATE users SET status = 'Suspended' WHERE id = $1", ada.id)
        await stream.until(lambda event: event.kind == "goodbye", "goodbye")
    with pytest.raises(Refused):
        async with town.listen(ada):
            pass


async def test_who_is_suspended_in_their_last_workspace_is_cut_off(town: Town) -> None:
    admin, ada = await town.people(2)
    async with town.database.transaction() as tx:
        await workspaces.set_standing(tx, town.workspace_id, admin.id, WorkspaceRole.ADMIN, UserStatus.ACTIVE)
    async with town.listen(ada) as stream:
        await stream.hello()
        await change_member(town.database, admin.caller, town.workspace_id, ada.id, None, UserStatus.SUSPENDED)
        last = await stream.until(lambda event: event.kind == "goodbye", "goodbye")
        assert b'"code":4403' in last.raw
    with pytest.raises(Refused):
        async with town.listen(ada):
            pass
