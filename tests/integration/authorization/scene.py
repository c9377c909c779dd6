"""The people of the matrix, and for each of its cells a workspace, chats, messages and a file that nobody has touched.

ACTORS            who asks, from the one who may most to the one who may nothing
Stage             the app, the people, and what cells share
Scene             the ids of one cell; `foreign` and `unknown` ids stand beside the own ones
"""

from typing import Literal

import msgspec

from fechatter.store.database import Row
from fechatter.store.push import subscriptions
from fechatter.store.push.subscriptions import Device
from tests.clients.api import Answer, Person
from tests.integration.files.uploading import upload
from tests.support.world import World

Actor = Literal[
    "owner", "admin", "member", "guest", "outsider", "visitor", "foreign", "barred", "suspended", "signed_out", "nobody"
]
ACTORS: tuple[Actor, ...] = (
    "owner",  # of the workspace and of the chat
    "admin",  # of both
    "member",  # of both; said what is said there
    "guest",  # of the workspace, member of the chat
    "outsider",  # member of the workspace, not in the chat
    "visitor",  # guest of the workspace, not in the chat
    "foreign",  # of another workspace
    "barred",  # member of both, suspended in the workspace
    "suspended",  # the same, suspended everywhere
    "signed_out",  # the same, with a token of a session that has ended
    "nobody",  # without a token
)
IN_CHAT = {"owner": "owner", "admin": "admin"} | dict.fromkeys(
    ("member", "guest", "barred", "suspended", "signed_out"), "member"
)
IN_WORKSPACE = {"owner": "owner", "admin": "admin", "guest": "guest", "visitor": "guest"}
UNKNOWN = 10**15
PUSH_KEYS = {
    "p256dh": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
    "auth": "DGv6ra1nlYgDCS1FRnbzlw",
}
CODE = "an-invite-code-of-this-scene-"

_SCENE = """
WITH place AS (
    INSERT INTO workspaces (name) VALUES ('Here') RETURNING id
), elsewhere AS (
    INSERT INTO workspaces (name) VALUES ('Elsewhere') RETURNING id
), people AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS p (id, role, status, chat_role)
), placed AS (
    INSERT INTO workspace_members (workspace_id, user_id, role, status)
    SELECT place.id, p.id, p.role, p.status FROM place, people p WHERE p.role IS NOT NULL
    UNION ALL SELECT elsewhere.id, $5, 'owner', 'Active' FROM elsewhere
), chat AS (
    INSERT INTO chats (workspace_id, type, name, created_by, member_count, last_seq, last_pos)
    SELECT w.id, t.type, t.type, t.by, t.count, 1, 1
    FROM (SELECT place.id, true AS here FROM place UNION ALL SELECT elsewhere.id, false FROM elsewhere) w
    JOIN (VALUES (true, 'PrivateChannel', $6::bigint, 7), (true, 'PublicChannel', $6, 7),
                 (false, 'PrivateChannel', $5, 1)) AS t (here, type, by, count) ON t.here = w.here
    RETURNING id, workspace_id, type, created_by
), membered AS (
    INSERT INTO chat_members (chat_id, user_id, workspace_id, role)
    SELECT chat.id, p.id, chat.workspace_id, p.chat_role
    FROM chat JOIN place ON place.id = chat.workspace_id, people p WHERE p.chat_role IS NOT NULL
    UNION ALL
    SELECT chat.id, $5, chat.workspace_id, 'owner' FROM chat JOIN elsewhere ON elsewhere.id = chat.workspace_id
), file AS (
    INSERT INTO files (workspace_id, uploader_id, name, mime_type, size, sha256, object_key, thumbnail_key)
    SELECT w.id, w.by, 'a.png', 'image/png', $8, 'x', $9, $9
    FROM (SELECT place.id, $7::bigint AS by FROM place UNION ALL SELECT elsewhere.id, $5 FROM elsewhere) w
    RETURNING id, workspace_id
), message AS (
    INSERT INTO messages (workspace_id, chat_id, seq, sender_id, content, files)
    SELECT chat.workspace_id, chat.id, 1, CASE WHEN chat.created_by = $5 THEN $5 ELSE $7 END, 'hello',
           CASE WHEN chat.type = 'PrivateChannel' THEN ARRAY[file.id] END
    FROM chat JOIN file ON file.workspace_id = chat.workspace_id
    RETURNING id, chat_id, workspace_id, files
), carried AS (
    INSERT INTO message_files (file_id, message_id, chat_id, workspace_id)
    SELECT files[1], id, chat_id, workspace_id FROM message WHERE files IS NOT NULL
), invite AS (
    INSERT INTO invites (workspace_id, code_hash, role, expires_at, created_by)
    SELECT w.id, sha256(($10 || w.id)::bytea), 'member', now() + interval '1 day', w.by
    FROM (SELECT place.id, $6 AS by FROM place UNION ALL SELECT elsewhere.id, $5 FROM elsewhere) w
    RETURNING id, workspace_id
)
SELECT chat.workspace_id AS workspace, chat.id AS chat, chat.type, message.id AS message, file.id AS file,
       invite.id AS invite
FROM chat JOIN message ON message.chat_id = chat.id JOIN file ON file.workspace_id = chat.workspace_id
JOIN invite ON invite.workspace_id = chat.workspace_id
ORDER BY chat.workspace_id, chat.type
"""


class Ids(msgspec.Struct, frozen=True):
    """What a path may name."""

    workspace: int
    chat: int
    message: int
    file: int
    invite: int
    user: int
    session: int
    code: str
    subscription: int = 0


class Scene(msgspec.Struct, frozen=True):
    """`own` is what the route is about, `foreign` is as real, but of another workspace; `unknown` is nowhere."""

    own: Ids
    foreign: Ids
    unknown: Ids
    refresh_token: str


class Stage:
    """The people, who stay the same, each with a workspace of their own besides. `foreign` ids are of somebody else."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.users: dict[str, int] = {}
        self._stranger: Person | None = None
        self._object: tuple[str, int] = ("", 0)

    async def set_up(self) -> None:
        """Make the people, and a file whose bytes all scenes share."""
        for actor in ACTORS[:-1]:
            home = await self.world.new_workspace(f"Home of {actor}")
            self.users[actor] = (await self.world.person(actor.title(), workspace_id=home)).id
        self._stranger = await self.world.person("Stranger")
        file = await upload(self._stranger)
        row = await self.world.db.fetch_one("SELECT object_key, size FROM files WHERE id = $1", file.id)
        assert row is not None
        self._object = row["object_key"], row["size"]
        await self.world.db.fetch("UPDATE users SET status = 'Suspended' WHERE id = $1", self.users["suspended"])

    async def scene(self, actor: Actor, chat_type: str) -> tuple[Scene, Person | None]:
        """A fresh one, and the actor with a session of its own for it."""
        stranger = self._stranger
        assert stranger is not None
        await self.world.db.fetch("DELETE FROM workspaces WHERE name IN ('Here', 'Elsewhere')")
        here = [user for user in self.users if user != "foreign"]
        rows = await self.world.db.fetch(
            _SCENE,
            [self.users[user] for user in here],
            [IN_WORKSPACE.get(user, "member") for user in here],
            ["Suspended" if user == "barred" else "Active" for user in here],
            [IN_CHAT.get(user) for user in here],
            stranger.id,
            self.users["owner"],
            self.users["member"],
            self._object[1],
            self._object[0],
            CODE,
        )
        await self.world.db.fetch(
            "INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, 'member')",
            rows[2]["workspace"],
            self.users["foreign"],
        )
        person = None if actor == "nobody" else await self.world.sign_in(self.users[actor])
        session = 0 if person is None else self.world.as_(person).session_id
        if actor == "signed_out" and person is not None:
            await self.world.sign_out(person)
        mine = await self._subscribe(person, "mine")
        theirs = await self._subscribe(stranger, "theirs")
        own = next(row for row in rows[:2] if row["type"] == chat_type)
        scene = Scene(
            _ids(own, self.users["guest"], session, f"{CODE}{own['workspace']}", mine),
            _ids(rows[2], stranger.id, self.world.as_(stranger).session_id, "an-invite-code-of-nobody", theirs),
            Ids(
                UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "an-invite-code-of-nobody-else", UNKNOWN
            ),
            person.refresh_token if person else "none",
        )
        return scene, person

    async def _subscribe(self, person: Person | None, name: str) -> int:
        """A device of theirs; also of those who may no longer add one."""
        if person is None:
            return 0
        device = Device(endpoint=f"https://push.example.org/{name}", **PUSH_KEYS, user_agent="")
        async with self.world.db.connection() as connection:
            return (await subscriptions.save(connection, self.world.as_(person), device, 20)).id

    async def ask(
        self, person: Person | None, method: str, path: str, body: object, headers: dict[str, str] | None = None
    ) -> Answer:
        token = None if person is None else person.token
        content = body if isinstance(body, bytes) else None
        json = None if content is not None else body
        self.world.api.forget_cookies()
        return await self.world.api.ask(method, path, token=token, json=json, content=content, headers=headers)


def _ids(row: Row, user: int, session: int, code: str, device: int) -> Ids:
    return Ids(row["workspace"], row["chat"], row["message"], row["file"], row["invite"], user, session, code, device)
