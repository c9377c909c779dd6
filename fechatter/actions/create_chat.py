"""Create a chat of any type, or find the Single chat that exists."""

import asyncpg
import msgspec

from fechatter.domain.chats import Chat, ChatRole, ChatType, check_member_count
from fechatter.domain.errors import Forbidden, InvalidRequest, NotFound
from fechatter.domain.events import Event, EventType, stream_of_user
from fechatter.domain.people import Caller, Workspace, WorkspaceRole
from fechatter.store import chats, event_log, members, workspaces
from fechatter.store.database import Connection, Database


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
        await _check_members(tx, creator, workspace, plan)
        pair = _pair(creator, plan)
        existing = None if pair is None else await chats.find_single(tx, workspace.id, pair)
        if existing is not None:
            await members.unhide(tx, existing, creator.user_id)
        chat_id = existing or await _insert(tx, creator, workspace, plan, pair)
        chat = await chats.visible_to(tx, creator, chat_id)
        if chat is None:
            raise NotFound
        if existing is None:
            await _tell(tx, chat, (creator.user_id, *plan.others))
        return chat, existing is None


async def _workspace_for(tx: Connection, creator: Caller, plan: ChatPlan) -> Workspace:
    if plan.workspace_id is None:
        mine = await workspaces.of_user(tx, creator.user_id)
        workspace = mine[0] if mine else None
    else:
        workspace = await workspaces.get_for(tx, creator.user_id, plan.workspace_id)
    if workspace is None:
        raise NotFound("You are in no such workspace.")
    return workspace


async def _check_members(tx: Connection, creator: Caller, workspace: Workspace, plan: ChatPlan) -> None:
    if workspace.role is WorkspaceRole.GUEST and plan.type.is_channel:
        raise Forbidden("Guests do not make channels.")
    found = await workspaces.active_among(tx, workspace.id, plan.others)
    if workspace.role is WorkspaceRole.GUEST:
        found &= await members.share_a_chat(tx, creator.user_id, plan.others, workspace.id)
    if unknown := sorted(set(plan.others) - found):
        raise InvalidRequest(fields={"members": f"not in this workspace: {', '.join(map(str, unknown[:10]))}"})


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
    payload = chats.for_newcomer(chat)
    await event_log.append(
        tx,
        [
            Event(
                stream=stream_of_user(user_id),
                type=EventType.CHAT_CREATED,
                payload=payload,
                workspace_id=chat.workspace_id,
                chat_id=chat.id,
            )
            for user_id in user_ids
        ],
    )


def _pair(creator: Caller, plan: ChatPlan) -> tuple[int, int] | None:
    if plan.type is not ChatType.SINGLE:
        return None
    other = plan.others[0] if plan.others else creator.user_id
    return min(creator.user_id, other), max(creator.user_id, other)
