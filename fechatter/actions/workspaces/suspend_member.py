"""Take somebody who is suspended in a workspace out of its chats, and back into them.

set_aside   their places pass to others and are remembered
put_back    they return to the chats that still exist, with what they had read
"""

from fechatter.actions.chats.add_members import tell_of_newcomers
from fechatter.actions.chats.leave_chat import leave_to_successor
from fechatter.domain.chats import ChatRole, ChatType
from fechatter.store.chats import chats, members
from fechatter.store.database import Connection
from fechatter.store.people import sessions, suspensions
from fechatter.store.people.suspensions import Kept


async def set_aside(tx: Connection, workspace_id: int, user_id: int) -> None:
    """Take the user out of the workspace's chats, and tell all. The workspace is held, and has them as suspended.

    If it was the last to let them in, their sessions end.

    They stay in Single chats, which keep their two, and in chats where nobody else is: neither is seen by them until
    they return.
    """
    for chat_id in await members.chats_of(tx, user_id, workspace_id):
        place = await chats.lock_for_departure(tx, chat_id, user_id)
        if place is None or place.role is None or place.type is ChatType.SINGLE or place.member_count == 1:
            continue
        await suspensions.keep(tx, chat_id, user_id)
        await leave_to_successor(tx, place, user_id, place.role)
    await sessions.end_shut_out(tx, [user_id])


async def put_back(tx: Connection, workspace_id: int, user_id: int) -> None:
    """Put the user back into the chats that they were taken out of, and tell all. The workspace is held."""
    for kept in await suspensions.take_back(tx, workspace_id, user_id):
        if await suspensions.hold_chat(tx, kept.chat_id):
            await _put_back(tx, workspace_id, user_id, kept)


async def _put_back(tx: Connection, workspace_id: int, user_id: int, kept: Kept) -> None:
    """What they owned has passed to another, under whom they are an admin; a chat that all have left is theirs."""
    empty = await members.successor(tx, kept.chat_id) is None
    role = ChatRole.OWNER if empty else ChatRole.ADMIN if kept.role is ChatRole.OWNER else kept.role
    added = await members.add(tx, kept.chat_id, workspace_id, {user_id: role}, kept.last_read_seq)
    chat = await suspensions.chat_for_all(tx, kept.chat_id)
    if added and chat is not None:
        await tell_of_newcomers(tx, chat, {user_id: role})
