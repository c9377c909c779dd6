"""Workspaces and who is in them.

insert         a workspace with its owner
of_user        the workspaces of a user
get_for        one workspace as a member sees it
add_member     put a user into a workspace
members        who is in a workspace
"""

from collections.abc import Sequence

from fechatter.domain.people import Workspace, WorkspaceMember, WorkspaceRole
from fechatter.store.database import Connection, struct_from

_WORKSPACE = "w.id, w.name, w.description, wm.role, w.created_at, w.updated_at"
_MEMBER = "wm.workspace_id, wm.user_id, wm.role, wm.status, wm.created_at, u.fullname, u.username, u.avatar"


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


async def add_member(
    connection: Connection, workspace_id: int, user_id: int, role: WorkspaceRole
) -> WorkspaceMember | None:
    """Put `user_id` into the workspace; None if it was there already."""
    if not await _insert_member(connection, workspace_id, user_id, role):
        return None
    row = await connection.fetchrow(
        f"""
        SELECT {_MEMBER} FROM workspace_members wm JOIN users u ON u.id = wm.user_id
        WHERE wm.workspace_id = $1 AND wm.user_id = $2
        """,
        workspace_id,
        user_id,
    )
    assert row is not None
    return struct_from(row, WorkspaceMember)


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


async def _insert_member(connection: Connection, workspace_id: int, user_id: int, role: WorkspaceRole) -> bool:
    inserted = await connection.fetchval(
        """
        INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        workspace_id,
        user_id,
        role,
    )
    return bool(inserted)
