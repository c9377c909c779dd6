"""Looks into the database behind the service's back: where streams stand, and what the log holds.

Inspector.positions   the last position of every stream, and which of them a user may see
Inspector.joined_pos  where somebody's membership in a chat begins
Inspector.log         all events that were not pruned
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import msgspec

POLL_S = 0.1
PATIENCE_S = 120.0


class Positions(msgspec.Struct, frozen=True):
    """One snapshot: `everywhere` has all streams, `visible` those of one user."""

    visible: dict[str, int]
    everywhere: dict[str, int]


_POSITIONS = """
    SELECT 'chat:' || c.id AS stream, c.last_pos, EXISTS (
        SELECT FROM chat_members cm
        JOIN workspace_members wm ON wm.workspace_id = cm.workspace_id AND wm.user_id = cm.user_id
        WHERE cm.chat_id = c.id AND cm.user_id = $1 AND wm.status = 'Active') AS visible
    FROM chats c
    UNION ALL
    SELECT 'workspace:' || w.id, w.last_pos, EXISTS (
        SELECT FROM workspace_members wm
        WHERE wm.workspace_id = w.id AND wm.user_id = $1 AND wm.status = 'Active' AND wm.role <> 'guest')
    FROM workspaces w
    UNION ALL
    SELECT 'user:' || u.id, u.last_pos, u.id = $1 FROM users u
"""


class Inspector:
    """Asks again while the database is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._turn = asyncio.Lock()

    async def positions(self, user_id: int) -> Positions:
        rows = await self._fetch(_POSITIONS, user_id)
        return Positions(
            {row["stream"]: row["last_pos"] for row in rows if row["visible"]},
            {row["stream"]: row["last_pos"] for row in rows},
        )

    async def joined_pos(self, chat_id: int, user_id: int) -> int:
        """0 if they are no member."""
        query = "SELECT joined_pos FROM chat_members WHERE chat_id = $1 AND user_id = $2"
        rows = await self._fetch(query, chat_id, user_id)
        return rows[0]["joined_pos"] if rows else 0

    async def log(self) -> AsyncGenerator[asyncpg.Record]:
        """stream, pos, type, subject; by stream and pos."""
        query = """
            SELECT stream, pos, type,
                   CASE WHEN type LIKE 'message.%' THEN message_id
                        ELSE coalesce((payload ->> 'user_id')::bigint, (payload ->> 'id')::bigint) END AS subject
            FROM events WHERE (stream, pos) > ($1, $2) ORDER BY stream, pos LIMIT 10000
        """
        last: tuple[str, int] = ("", 0)
        while rows := await self._fetch(query, *last):
            for row in rows:
                yield row
            last = (rows[-1]["stream"], rows[-1]["pos"])

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    async def _fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        async with self._turn, asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await asyncpg.connect(self._url, timeout=10, command_timeout=60)
                    return await self._connection.fetch(query, *args)
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self.close()
                    self._connection = None
                    await asyncio.sleep(POLL_S)
