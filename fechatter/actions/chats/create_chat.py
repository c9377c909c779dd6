"""Create a chat of any type, or find the Single chat that exists."""

import asyncpg
import msgspec

from fechatter.actions.chats.add_members import check_known
from fechatter.domain.chats import Chat, ChatRole, ChatType, check_member_count
from fechatter.domain.errors import Forbidden, NotFound
from fechatter.domain.events import Event, EventType
from fechatter.domain.people import Caller, Workspace, WorkspaceRole
from fechatter.store.chats import chats, members
from fechatter.store.database import Connection, Database
from fechatter.store.log import event_log
from fechatter.store.workspaces import workspaces


class ChatPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The chat that someone asks for. `others`: members besides the creator, each once."""

    type: ChatType
    name: str | None
    others: tuple[int, ...]
    workspace_id: int | None
    description: str | None


async def create_chat(db: Database, creator: Caller, plan: ChatPlan) -> tuple[Chat, bool]:
    """Store the chat, its members and their events together; return it, and whether it is new.

    Raises InvalidRequest, ChatNameTaken, Forbidden (guests make no channels), NotFound for a foreign workspace.
    """
    check_member_count(plan.type, len(plan.others))
    try:
        return await _create(db, creator, plan)
    except asyncpg.UniqueViolationError:
        # Both people asked for their Single chat at once: the other's is there now.
        return await _create(db, creator, plan)


async def _create(db: Database, creator: Caller, plan: ChatPlan) -> tuple[Chat, bool]:
    async with db.transaction() as tx:
        workspace = await _workspace_for(tx, creator, plan)
        if workspace.role is WorkspaceRole.GUEST and plan.type.is_channel:
            raise Forbidden("Guests do not make channels.")
        await check_known(tx, creator, workspace.id, workspace.role, "members", plan.others)
        pair = _pair(creator, plan)
        existing = None if pair is None else await chats.find_single(tx, workspace.id, pair)
        if existing is not None:
            return await _show(tx, creator, existing), False
        chat = await _read(tx, creator, await _insert(tx, creator, workspace, plan, pair))
        await _tell(tx, chats.for_newcomer(chat), (creator.user_id, *plan.others))
        return chat, True


async def _workspace_for(tx: Connection, creator: Caller, plan: ChatPlan) -> Workspace:
    """The workspace, held so that nobody leaves it before they are in the chat."""
    workspace_id = plan.workspace_id
    if workspace_id is None:
        mine = await workspaces.of_user(tx, creator.user_id)
        workspace_id = mine[0].id if mine else None
    held = workspace_id is not None and await chats.hold_workspace(tx, workspace_id)
    workspace = await workspaces.get_for(tx, creator.user_id, workspace_id) if held and workspace_id else None
    if workspace is None:
        raise NotFound("You are in no such workspace.")
    return workspace


async def _show(tx: Connection, creator: Caller, chat_id: int) -> Chat:
    """The Single that exists; if the creator had hidden it, their devices hear of it again."""
    shown = await members.unhide(tx, chat_id, creator.user_id)
    chat = await _read(tx, creator, chat_id)
    if shown:
        await _tell(tx, chat, (creator.user_id,))
    return chat


async def _read(tx: Connection, creator: Caller, chat_id: int) -> Chat:
    chat = await chats.visible_to(tx, creator, chat_id)
    if chat is None:
        raise NotFound
    return chat


async def _insert(
    tx: Connection, creator: Caller, workspace: Workspace, plan: ChatPlan, pair: tuple[int, int] | None
) -> int:
    chat_id = await chats.insert(
        tx,
        workspace_id=workspace.id,
        type_=plan.type,
        name=plan.name or plan.type.value,
        description=plan.description,
        created_by=creator.user_id,
        pair=pair,
    )
    roles = {creator.user_id: ChatRole.OWNER} | dict.fromkeys(plan.others, ChatRole.MEMBER)
    await members.add(tx, chat_id, workspace.id, roles, last_seq=0)
    return chat_id


async def _tell(tx: Connection, chat: Chat, user_ids: tuple[int, ...]) -> None:
    await event_log.append(tx, [Event.of_chat(chat, EventType.CHAT_CREATED, chat, to=user_id) for user_id in user_ids])


def _pair(creator: Caller, plan: ChatPlan) -> tuple[int, int] | None:
    if plan.type is not ChatType.SINGLE:
        return None
    other = plan.others[0] if plan.others else creator.user_id
    return min(creator.user_id, other), max(creator.user_id, other)
