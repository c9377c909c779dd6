"""Workspaces and who is in them.

insert, update, delete
of_user, get_for, current_of   workspaces as a member sees them
hold, hold_all_of, hold_some, hold_for_deletion   the same, against changes by others
add_member, set_joined, set_standing, remove_member
member, members, all_members, active_among   who is in a workspace
others, first_owner            who would be left without somebody, who may act for it
guests, knows                  who hears of things on their own stream, and who may know of whom
"""

from collections.abc import Sequence

import msgspec

from fechatter.domain.events import stream_of_workspace
from fechatter.domain.people import UserStatus, Workspace, WorkspaceMember, WorkspaceRole
from fechatter.store.database import Connection, struct_from

_WORKSPACE = "w.id, w.name, w.description, wm.role, w.created_at, w.updated_at"
_MEMBER = "wm.workspace_id, wm.user_id, wm.role, wm.status, wm.created_at, u.fullname, u.username, u.avatar"


class Others(msgspec.Struct, frozen=True):
    """How many are in a workspace besides somebody; `owners`: active ones among them."""

    members: int
    owners: int


async def insert(connection: Connection, *, name: str, description: str | None, owner_id: int) -> Workspace:
    """A new workspace whose only member is its owner."""
    workspace_id = await connection.fetchval(
        "INSERT INTO workspaces (name, description) VALUES ($1, $2) RETURNING id", name, description
    )
    await _insert_member(connection, workspace_id, owner_id, WorkspaceRole.OWNER)
    workspace = await get_for(connection, owner_id, workspace_id)
    assert workspace is not None
    return workspace


async def of_user(connection: Connection, user_id: int) -> Sequence[Workspace]:
    """The workspaces that `user_id` is active in, in the order of joining."""
    rows = await connection.fetch(
        f"""
        SELECT {_WORKSPACE} FROM workspace_members wm JOIN workspaces w ON w.id = wm.workspace_id
        WHERE wm.user_id = $1 AND wm.status = 'Active'
        ORDER BY wm.created_at, w.id
        """,
        user_id,
    )
    return [struct_from(row, Workspace) for row in rows]


async def get_for(connection: Connection, user_id: int, workspace_id: int) -> Workspace | None:
    """The workspace, if `user_id` is active in it."""
    row = await connection.fetchrow(
        f"""
        SELECT {_WORKSPACE} FROM workspace_members wm JOIN workspaces w ON w.id = wm.workspace_id
        WHERE wm.user_id = $1 AND wm.workspace_id = $2 AND wm.status = 'Active'
        """,
        user_id,
        workspace_id,
    )
    return None if row is None else struct_from(row, Workspace)


async def current_of(connection: Connection, user_id: int) -> Workspace | None:
    """The workspace that `user_id` used last, else the first, else None."""
    row = await connection.fetchrow(
        f"""
        SELECT {_WORKSPACE} FROM workspace_members wm
        JOIN workspaces w ON w.id = wm.workspace_id JOIN users u ON u.id = wm.user_id
        WHERE wm.user_id = $1 AND wm.status = 'Active'
        ORDER BY (w.id = u.last_workspace_id) DESC NULLS LAST, wm.created_at, w.id LIMIT 1
        """,
        user_id,
    )
    return None if row is None else struct_from(row, Workspace)


async def hold(connection: Connection, user_id: int, workspace_id: int) -> Workspace | None:
    """The workspace if `user_id` is active in it; until the transaction ends nobody else enters, leaves or changes it.

    The role is read after the lock: whoever had it before may have changed it.
    """
    await connection.execute("SELECT FROM workspaces WHERE id = $1 FOR NO KEY UPDATE", workspace_id)
    return await get_for(connection, user_id, workspace_id)


async def hold_all_of(connection: Connection, user_id: int) -> list[int]:
    """The ids of the workspaces that the user is active in, each held. Locks go from workspaces to users, always."""
    rows = await connection.fetch(
        """
        SELECT w.id FROM workspaces w JOIN workspace_members wm ON wm.workspace_id = w.id
        WHERE wm.user_id = $1 AND wm.status = 'Active' ORDER BY w.id FOR NO KEY UPDATE OF w
        """,
        user_id,
    )
    return [row["id"] for row in rows]


async def hold_some(connection: Connection, workspace_id: int | None, *, at_most: int) -> list[int]:
    """The ids of the workspace named, or of the first few; held."""
    rows = await connection.fetch(
        """
        SELECT id FROM workspaces WHERE $1::bigint IS NULL OR id = $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE
        """,
        workspace_id,
        at_most,
    )
    return [row["id"] for row in rows]


async def update(connection: Connection, workspace_id: int, *, name: str, description: str | None) -> None:
    await connection.execute(
        "UPDATE workspaces SET name = $2, description = $3 WHERE id = $1", workspace_id, name, description
    )


async def delete(connection: Connection, workspace_id: int) -> None:
    """Delete the workspace with its chats, members, invites and files, and its stream.

    A sweep deletes the messages (fechatter/store/messages/garbage.py), which nobody can see from then on.
    """
    await connection.execute("DELETE FROM workspaces WHERE id = $1", workspace_id)
    await connection.execute("DELETE FROM events WHERE stream = $1", stream_of_workspace(workspace_id))


async def hold_for_deletion(connection: Connection, user_id: int, workspace_id: int) -> Workspace | None:
    """The same as `hold`, and nobody makes a chat in it either."""
    await connection.execute("SELECT FROM workspaces WHERE id = $1 FOR UPDATE", workspace_id)
    return await get_for(connection, user_id, workspace_id)


async def add_member(connection: Connection, workspace_id: int, user_id: int, role: WorkspaceRole) -> WorkspaceMember:
    """Put `user_id`, who is not in it, into the workspace."""
    await _insert_member(connection, workspace_id, user_id, role)
    added = await member(connection, workspace_id, user_id)
    assert added is not None
    return added


async def set_joined(connection: Connection, workspace_id: int, user_id: int, pos: int) -> None:
    """Remember where the member begins to hear the workspace: replay shows nothing of its stream from before it."""
    await connection.execute(
        "UPDATE workspace_members SET joined_pos = $3 WHERE workspace_id = $1 AND user_id = $2",
        workspace_id,
        user_id,
        pos,
    )


async def member(connection: Connection, workspace_id: int, user_id: int) -> WorkspaceMember | None:
    """One member, active or suspended."""
    row = await connection.fetchrow(
        f"""
        SELECT {_MEMBER} FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        WHERE wm.workspace_id = $1 AND wm.user_id = $2
        """,
        workspace_id,
        user_id,
    )
    return None if row is None else struct_from(row, WorkspaceMember)


async def all_members(connection: Connection, workspace_id: int) -> Sequence[WorkspaceMember]:
    """Everybody in the workspace, also who is suspended."""
    rows = await connection.fetch(
        f"""
        SELECT {_MEMBER} FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        WHERE wm.workspace_id = $1 ORDER BY wm.user_id
        """,
        workspace_id,
    )
    return [struct_from(row, WorkspaceMember) for row in rows]


async def set_standing(
    connection: Connection, workspace_id: int, user_id: int, role: WorkspaceRole, status: UserStatus
) -> None:
    await connection.execute(
        "UPDATE workspace_members SET role = $3, status = $4 WHERE workspace_id = $1 AND user_id = $2",
        workspace_id,
        user_id,
        role.value,
        status.value,
    )


async def remove_member(connection: Connection, workspace_id: int, user_id: int) -> None:
    await connection.execute(
        "DELETE FROM workspace_members WHERE workspace_id = $1 AND user_id = $2", workspace_id, user_id
    )


async def others(connection: Connection, workspace_id: int, user_id: int) -> Others:
    """Who is in the workspace besides `user_id`."""
    row = await connection.fetchrow(
        """
        SELECT count(*) AS members,
               count(*) FILTER (WHERE wm.role = 'owner' AND wm.status = 'Active' AND u.status = 'Active') AS owners
        FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        WHERE wm.workspace_id = $1 AND wm.user_id <> $2
        """,
        workspace_id,
        user_id,
    )
    assert row is not None
    return Others(row["members"], row["owners"])


async def first_owner(connection: Connection, workspace_id: int) -> int | None:
    """The active owner who has been in the workspace the longest."""
    return await connection.fetchval(
        """
        SELECT wm.user_id FROM workspace_members wm JOIN users u ON u.id = wm.user_id AND u.status = 'Active'
        WHERE wm.workspace_id = $1 AND wm.role = 'owner' AND wm.status = 'Active'
        ORDER BY wm.created_at, wm.user_id LIMIT 1
        """,
        workspace_id,
    )


async def guests(connection: Connection, workspace_id: int, about: int | None) -> list[int]:
    """The active guests: all, or those who share a chat with the user `about` (but not that one)."""
    rows = await connection.fetch(
        """
        SELECT wm.user_id FROM workspace_members wm
        WHERE wm.workspace_id = $1 AND wm.role = 'guest' AND wm.status = 'Active' AND ($2::bigint IS NULL OR (
            wm.user_id <> $2 AND EXISTS (
                SELECT FROM chat_members a JOIN chat_members b ON b.chat_id = a.chat_id AND b.user_id = $2
                WHERE a.user_id = wm.user_id AND a.workspace_id = $1)))
        """,
        workspace_id,
        about,
    )
    return [row["user_id"] for row in rows]


async def knows(connection: Connection, mine: Workspace, viewer_id: int, user_id: int) -> bool:
    """Whether the viewer, to whom the workspace is `mine`, may know that `user_id` is in it."""
    if mine.role is not WorkspaceRole.GUEST or viewer_id == user_id:
        return True
    return viewer_id in await guests(connection, mine.id, user_id)


async def members(
    connection: Connection, viewer_id: int, workspace_id: int, *, limit: int, offset: int
) -> Sequence[WorkspaceMember]:
    """Who is in the workspace, in the order of joining: all, or for a guest those they share a chat with."""
    rows = await connection.fetch(
        f"""
        SELECT {_MEMBER} FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        JOIN workspace_members mine ON mine.workspace_id = $1 AND mine.user_id = $2 AND mine.status = 'Active'
        WHERE wm.workspace_id = $1 AND (mine.role <> 'guest' OR wm.user_id = $2 OR EXISTS (
            SELECT FROM chat_members a JOIN chat_members b ON b.chat_id = a.chat_id AND b.user_id = wm.user_id
            WHERE a.user_id = $2 AND a.workspace_id = $1))
        ORDER BY wm.created_at, wm.user_id LIMIT $3 OFFSET $4
        """,
        workspace_id,
        viewer_id,
        limit,
        offset,
    )
    return [struct_from(row, WorkspaceMember) for row in rows]


async def active_among(connection: Connection, workspace_id: int, user_ids: Sequence[int]) -> set[int]:
    """Those of `user_ids` that are active in the workspace."""
    rows = await connection.fetch(
        """
        SELECT wm.user_id FROM workspace_members wm JOIN users u ON u.id = wm.user_id AND u.status = 'Active'
        WHERE wm.workspace_id = $1 AND wm.user_id = ANY($2::bigint[]) AND wm.status = 'Active'
        """,
        workspace_id,
        list(user_ids),
    )
    return {row["user_id"] for row in rows}


async def _insert_member(connection: Connection, workspace_id: int, user_id: int, role: WorkspaceRole) -> None:
    await connection.execute(
        "INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)", workspace_id, user_id, role
    )
