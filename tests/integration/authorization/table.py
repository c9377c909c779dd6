"""Who may do what: every route, with the status that each actor gets. The API's promise in one look.

CHAT     routes of a chat: on a private channel, and in a second row on a public one
OTHER    all routes else that ask who one is
PUBLIC   routes that do not: the same answer for everybody

The columns are scene.ACTORS without the last three: suspended, signed out and without a token is 401, always, unless
EXCEPTIONS says why not.
"""

from collections.abc import Callable

from tests.integration.authorization.scene import PUSH_KEYS, Actor, Scene
from tests.integration.files.uploading import PNG, form

Body = Callable[[Scene], object]

#                                             owner admin member guest outsider visitor foreign barred
CHAT: dict[str, tuple[str, str]] = {
    "GET /api/chats/{chat_id}": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    "PUT /api/chats/{chat_id}": (
        "200 200 403 403 404 404 404 404",
        "200 200 403 403 403 404 404 404",
    ),
    "DELETE /api/chats/{chat_id}": (
        "204 403 403 403 404 404 404 404",
        "204 403 403 403 403 404 404 404",
    ),
    "POST /api/chats/{chat_id}/join": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    "POST /api/chats/{chat_id}/leave": (
        "409 204 204 204 404 404 404 404",
        "409 204 204 204 204 404 404 404",
    ),
    "GET /api/chats/{chat_id}/members": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    "POST /api/chats/{chat_id}/members": (
        "201 201 403 403 404 404 404 404",
        "201 201 403 403 403 404 404 404",
    ),
    # The guest is the one who is removed: oneself one may always remove.
    "DELETE /api/chats/{chat_id}/members/{user_id}": (
        "204 204 403 204 404 404 404 404",
        "204 204 403 204 403 404 404 404",
    ),
    "PATCH /api/chats/{chat_id}/members/{user_id}": (
        "200 403 403 403 404 404 404 404",
        "200 403 403 403 403 404 404 404",
    ),
    "GET /api/chats/{chat_id}/messages": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    "POST /api/chats/{chat_id}/messages": (
        "201 201 201 201 404 404 404 404",
        "201 201 201 201 403 404 404 404",
    ),
    "GET /api/chats/{chat_id}/messages/search": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    # The member's message.
    "PUT /api/chats/{chat_id}/messages/{message_id}": (
        "403 403 200 403 404 404 404 404",
        "403 403 200 403 403 404 404 404",
    ),
    "DELETE /api/chats/{chat_id}/messages/{message_id}": (
        "204 204 204 403 404 404 404 404",
        "204 204 204 403 403 404 404 404",
    ),
    "GET /api/chats/{chat_id}/files": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 200 404 404 404",
    ),
    "POST /api/chats/{chat_id}/read": (
        "204 204 204 204 404 404 404 404",
        "204 204 204 204 403 404 404 404",
    ),
    "GET /api/chats/{chat_id}/receipts": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 403 404 404 404",
    ),
    "GET /api/chats/{chat_id}/notifications": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 403 404 404 404",
    ),
    "PUT /api/chats/{chat_id}/notifications": (
        "200 200 200 200 404 404 404 404",
        "200 200 200 200 403 404 404 404",
    ),
    "POST /api/chats/{chat_id}/typing": (
        "204 204 204 204 404 404 404 404",
        "204 204 204 204 403 404 404 404",
    ),
}

#                                             owner admin member guest outsider visitor foreign barred
OTHER: dict[str, str] = {
    "POST /api/auth/refresh": "200 200 200 200 200 200 200 200",
    "POST /api/auth/signout": "204 204 204 204 204 204 204 204",
    "POST /api/auth/signout-all": "204 204 204 204 204 204 204 204",
    "POST /api/auth/password": "403 403 403 403 403 403 403 403",  # the present one is wrong
    "GET /api/auth/sessions": "200 200 200 200 200 200 200 200",
    "DELETE /api/auth/sessions/{session_id}": "204 204 204 204 204 204 204 204",
    "GET /api/users/me": "200 200 200 200 200 200 200 200",
    "PATCH /api/users/me": "200 200 200 200 200 200 200 200",
    "PUT /api/users/me/presence": "200 200 200 200 200 200 200 200",
    "GET /api/presence": "200 200 200 200 200 200 200 200",  # of those whom one may know
    "GET /api/users": "200 200 200 200 200 200 200 200",
    "GET /api/users/{user_id}": "200 200 200 200 200 404 404 404",
    "GET /api/workspaces": "200 200 200 200 200 200 200 200",
    "POST /api/workspaces": "201 201 201 201 201 201 201 201",
    "PUT /api/workspaces/{workspace_id}": "200 200 403 403 403 403 404 404",
    "DELETE /api/workspaces/{workspace_id}": "204 403 403 403 403 403 404 404",
    "GET /api/workspaces/{workspace_id}/members": "200 200 200 200 200 200 404 404",
    # The guest is the one who is changed or taken out: oneself one may always take out.
    "PATCH /api/workspaces/{workspace_id}/members/{user_id}": "200 200 403 403 403 404 404 404",
    "DELETE /api/workspaces/{workspace_id}/members/{user_id}": "204 204 403 204 403 404 404 404",
    "GET /api/workspaces/{workspace_id}/invites": "200 200 403 403 403 403 404 404",
    "POST /api/workspaces/{workspace_id}/invites": "201 201 403 403 403 403 404 404",
    "DELETE /api/workspaces/{workspace_id}/invites/{invite_id}": "204 204 403 403 403 403 404 404",
    # Whoever has the code comes in, but for those who were suspended there.
    "POST /api/invites/{code}/accept": "200 200 200 200 200 200 200 403",
    "GET /api/chats": "200 200 200 200 200 200 200 200",
    "POST /api/chats": "201 201 201 403 201 403 404 404",  # a channel
    "GET /api/chats/public": "200 200 200 200 200 200 200 200",
    "POST /api/files": "201 201 201 201 201 201 201 201",  # to a workspace of their own
    "GET /api/files/{file_id}": "200 200 200 200 404 404 404 404",
    "GET /api/files/{file_id}/thumbnail": "200 200 200 200 404 404 404 404",
    "GET /api/search": "200 200 200 200 200 200 404 404",  # of the workspace
    "GET /api/search/messages": "200 200 200 200 404 404 404 404",  # of the chat
    "GET /api/search/suggestions": "200 200 200 200 200 200 404 404",  # of the workspace
    "GET /api/push/key": "200 200 200 200 200 200 200 200",
    "GET /api/push/settings": "200 200 200 200 200 200 200 200",
    "PUT /api/push/settings": "200 200 200 200 200 200 200 200",
    "GET /api/push/subscriptions": "200 200 200 200 200 200 200 200",
    "POST /api/push/subscriptions": "201 201 201 201 201 201 201 201",
    "DELETE /api/push/subscriptions/{subscription_id}": "204 204 204 204 204 204 204 204",
    "POST /api/push/subscriptions/{subscription_id}/test": "204 204 204 204 204 204 204 204",
    "POST /api/notifications/ticket": "201 201 201 201 201 201 201 201",
}

PUBLIC: dict[str, int] = {
    "GET /": 200,
    "GET /{path}": 200,
    "GET /api/config": 200,
    "GET /health": 200,
    "GET /ready": 200,
    "GET /metrics": 200,
    "GET /openapi.json": 200,
    "GET /docs": 200,
    "POST /api/auth/signin": 401,  # an address that nobody has
    "POST /api/auth/signup": 400,  # a password that is too short
}

EXCEPTIONS: dict[tuple[str, Actor], int] = {
    ("POST /api/auth/signout", "suspended"): 204,  # to end a session takes its refresh token alone
    ("POST /api/auth/signout-all", "suspended"): 204,
}


def _says(**fields: object) -> Body:
    return lambda _: fields


def _refresh(scene: Scene) -> object:
    return {"refresh_token": scene.refresh_token}


BODIES: dict[str, Body] = {
    "POST /api/auth/signin": _says(email="nobody@example.org", password="correct horse"),
    "POST /api/auth/signup": _says(fullname="New", email="new@example.org", password="short"),
    "POST /api/auth/refresh": _refresh,
    "POST /api/auth/signout": _refresh,
    "POST /api/auth/signout-all": _refresh,
    "POST /api/auth/password": _says(current_password="not this one", new_password="another horse"),
    "PATCH /api/users/me": _says(locale="zh"),
    "PUT /api/users/me/presence": _says(status="busy"),
    "POST /api/workspaces": _says(name="New"),
    "PUT /api/workspaces/{workspace_id}": _says(description="renamed"),
    "PATCH /api/workspaces/{workspace_id}/members/{user_id}": _says(role="member"),
    "POST /api/workspaces/{workspace_id}/invites": _says(role="guest"),
    "POST /api/chats": lambda s: {"type": "PrivateChannel", "name": "new", "workspace_id": s.own.workspace},
    "PUT /api/chats/{chat_id}": _says(name="renamed"),
    "POST /api/chats/{chat_id}/members": lambda s: {"user_ids": [s.own.user]},
    "PATCH /api/chats/{chat_id}/members/{user_id}": _says(role="admin"),
    "POST /api/chats/{chat_id}/messages": _says(content="hi"),
    "PUT /api/chats/{chat_id}/messages/{message_id}": _says(content="edited"),
    "POST /api/chats/{chat_id}/read": _says(seq=1),
    "PUT /api/chats/{chat_id}/notifications": _says(level="mentions"),
    "PUT /api/push/settings": _says(mentions_only=True),
    "POST /api/push/subscriptions": _says(endpoint="https://push.example.org/1", keys=PUSH_KEYS),
    "POST /api/files": lambda _: form(PNG, "a.png"),
}
QUERIES: dict[str, Callable[[Scene], str]] = {
    "GET /api/presence": lambda scene: f"?user_id={scene.own.user}",
    "GET /api/chats/{chat_id}/messages/search": lambda _: "?q=hello",
    "GET /api/search": lambda scene: f"?q=hello&workspace_id={scene.own.workspace}",
    "GET /api/search/messages": lambda scene: f"?q=hello&chat_id={scene.own.chat}",
    "GET /api/search/suggestions": lambda scene: f"?q=hello&workspace_id={scene.own.workspace}",
}
