"""What the code of a route does not say of itself: its name for clients, and how it may refuse.

OPERATIONS   by method and path; a test holds that no route is missing and none is left over
Operation    one of them

What any route may answer is added by rule (document.py): 401, 429 and 503 to all that need a session, 400 to those
with parameters or a body, 404 to those with an id in the path, 413 and 415 to those with a body.
"""

import msgspec

from fechatter.domain.errors import (
    ChatNameTaken,
    Conflict,
    DomainError,
    EmailTaken,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    InviteGone,
    NotFound,
    NotMadeYet,
    OwnerRequired,
    RangeNotSatisfiable,
    RateLimited,
    Suspended,
    Unauthenticated,
    Unavailable,
)


class Operation(msgspec.Struct, frozen=True):
    """`also`: statuses of success besides the first, with what they mean. `errors`: besides those given by rule."""

    id: str
    errors: tuple[type[DomainError], ...] = ()
    also: dict[int, str] = {}


_ENTER = (Unauthenticated, RateLimited, Unavailable)
_SAME_FILE = {206: "The range asked for.", 304: "The caller has it already (If-None-Match)."}

OPERATIONS: dict[str, Operation] = {
    "POST /api/auth/signup": Operation(
        "signUp", (Forbidden, NotFound, EmailTaken, InviteGone, RateLimited, Unavailable)
    ),
    "POST /api/auth/signin": Operation("signIn", (*_ENTER, Suspended)),
    "POST /api/auth/refresh": Operation("refreshSession", _ENTER),
    "POST /api/auth/signout": Operation("signOut", _ENTER),
    "POST /api/auth/signout-all": Operation("signOutEverywhere", _ENTER),
    "POST /api/auth/password": Operation("changePassword", (Forbidden, Conflict)),
    "GET /api/auth/sessions": Operation("listSessions"),
    "DELETE /api/auth/sessions/{session_id}": Operation("endSession"),
    "GET /api/users/me": Operation("getMe", (NotFound,)),
    "PATCH /api/users/me": Operation("updateMe", (Conflict,)),
    "PUT /api/users/me/presence": Operation("setMyPresence"),
    "GET /api/presence": Operation("listPresence"),
    "GET /api/users": Operation("listUsers", (NotFound,)),
    "GET /api/users/{user_id}": Operation("getUser"),
    "GET /api/workspaces": Operation("listWorkspaces"),
    "POST /api/workspaces": Operation("createWorkspace"),
    "PUT /api/workspaces/{workspace_id}": Operation("updateWorkspace", (Forbidden,)),
    "DELETE /api/workspaces/{workspace_id}": Operation("deleteWorkspace", (Forbidden,)),
    "GET /api/workspaces/{workspace_id}/members": Operation("listWorkspaceMembers"),
    "PATCH /api/workspaces/{workspace_id}/members/{user_id}": Operation(
        "updateWorkspaceMember", (Forbidden, OwnerRequired)
    ),
    "DELETE /api/workspaces/{workspace_id}/members/{user_id}": Operation(
        "removeWorkspaceMember", (Forbidden, OwnerRequired)
    ),
    "GET /api/workspaces/{workspace_id}/invites": Operation("listInvites", (Forbidden,)),
    "POST /api/workspaces/{workspace_id}/invites": Operation("createInvite", (Forbidden,)),
    "DELETE /api/workspaces/{workspace_id}/invites/{invite_id}": Operation("revokeInvite", (Forbidden,)),
    "POST /api/invites/{code}/accept": Operation("acceptInvite", (InvalidRequest, Suspended, InviteGone)),
    "GET /api/chats": Operation("listChats", (NotFound,)),
    "POST /api/chats": Operation(
        "createChat", (Forbidden, NotFound, ChatNameTaken), {200: "The Single chat of these two people, which exists."}
    ),
    "GET /api/chats/public": Operation("listPublicChannels", (NotFound,)),
    "GET /api/chats/{chat_id}": Operation("getChat"),
    "PUT /api/chats/{chat_id}": Operation("updateChat", (Forbidden, ChatNameTaken)),
    "DELETE /api/chats/{chat_id}": Operation("deleteChat", (Forbidden,)),
    "POST /api/chats/{chat_id}/join": Operation("joinChat", (Forbidden,)),
    "POST /api/chats/{chat_id}/leave": Operation("leaveChat", (Forbidden, OwnerRequired)),
    "GET /api/chats/{chat_id}/members": Operation("listChatMembers"),
    "POST /api/chats/{chat_id}/members": Operation("addChatMembers", (Forbidden,)),
    "PATCH /api/chats/{chat_id}/members/{user_id}": Operation("setChatRole", (Forbidden, OwnerRequired)),
    "DELETE /api/chats/{chat_id}/members/{user_id}": Operation("removeChatMember", (Forbidden, OwnerRequired)),
    "GET /api/chats/{chat_id}/messages": Operation("listMessages"),
    "POST /api/chats/{chat_id}/messages": Operation(
        "postMessage",
        (Forbidden, IdempotencyConflict),
        {200: "A retry: the message that this idempotency_key made before, as it is now."},
    ),
    "PUT /api/chats/{chat_id}/messages/{message_id}": Operation("editMessage", (Forbidden, Conflict)),
    "DELETE /api/chats/{chat_id}/messages/{message_id}": Operation("deleteMessage", (Forbidden,)),
    "GET /api/chats/{chat_id}/files": Operation("listChatFiles"),
    "POST /api/chats/{chat_id}/read": Operation("markRead", (Forbidden,)),
    "GET /api/chats/{chat_id}/receipts": Operation("listReceipts", (Forbidden,)),
    "POST /api/chats/{chat_id}/typing": Operation("tellTyping", (Forbidden,)),
    "GET /api/chats/{chat_id}/messages/search": Operation("searchChat"),
    "GET /api/search": Operation("searchAll", (NotFound,)),
    "GET /api/search/messages": Operation("searchMessages", (NotFound,)),
    "GET /api/search/suggestions": Operation("suggest", (NotFound,)),
    "POST /api/files": Operation("uploadFile", (NotFound,)),
    "GET /api/files/{file_id}": Operation("getFile", (RangeNotSatisfiable,), _SAME_FILE),
    "GET /api/files/{file_id}/thumbnail": Operation("getThumbnail", (NotMadeYet,), {304: _SAME_FILE[304]}),
    "POST /api/notifications/ticket": Operation("createTicket"),
    "GET /api/push/key": Operation("getPushKey"),
    "GET /api/push/subscriptions": Operation("listPushSubscriptions"),
    "POST /api/push/subscriptions": Operation("subscribeToPush"),
    "DELETE /api/push/subscriptions/{subscription_id}": Operation("unsubscribeFromPush"),
    "POST /api/push/subscriptions/{subscription_id}/test": Operation("testPush"),
    "GET /api/push/settings": Operation("getPushSettings"),
    "PUT /api/push/settings": Operation("putPushSettings"),
    "GET /api/chats/{chat_id}/notifications": Operation("getChatNotifications", (Forbidden,)),
    "PUT /api/chats/{chat_id}/notifications": Operation("putChatNotifications", (Forbidden,)),
    "GET /api/config": Operation("getConfig"),
    "GET /health": Operation("getHealth"),
    "GET /ready": Operation("getReadiness", (), {503: "A part that it cannot do without is away."}),
}
