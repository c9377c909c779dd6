"""Who may do what in a chat. Each rule is one function that returns or raises Forbidden with a sentence for people.

Standing              how someone stands to a chat that they see
check_is_member       posting, reading receipts, typing
check_may_rename      name and description
check_may_add         people
check_may_join        by oneself
check_may_remove      someone else
check_may_set_role    of anyone, oneself too
check_may_delete      the chat, for all
check_may_erase       a message
"""

from typing import Protocol

from fechatter.domain.chats import ChatRole, ChatType
from fechatter.domain.errors import Forbidden
from fechatter.domain.people import WorkspaceRole

_LEADERS = (ChatRole.OWNER, ChatRole.ADMIN)


class Standing(Protocol):
    """How someone stands to a chat that they see. `role` is None for a public channel they have not joined."""

    @property
    def type(self) -> ChatType: ...
    @property
    def role(self) -> ChatRole | None: ...
    @property
    def workspace_role(self) -> WorkspaceRole: ...


def check_is_member(me: Standing) -> None:
    if me.role is None:
        raise Forbidden("Join the channel first.")


def check_may_rename(me: Standing) -> None:
    """Admins; in a Single chat, which has no admins to speak of, both."""
    check_is_member(me)
    if me.type is not ChatType.SINGLE and me.role not in _LEADERS:
        raise Forbidden("Only the chat's admins change its name and description.")


def check_may_add(me: Standing) -> None:
    _check_members_change(me)
    check_is_member(me)
    if me.role not in _LEADERS:
        raise Forbidden("Only the chat's admins add people.")


def check_may_join(me: Standing) -> None:
    if me.role is None and (me.type is not ChatType.PUBLIC_CHANNEL or me.workspace_role is WorkspaceRole.GUEST):
        raise Forbidden("This chat is not joined: its admins add people.")


def check_may_leave(me: Standing) -> None:
    _check_members_change(me)


def check_may_remove(me: Standing, other: ChatRole) -> None:
    """Admins remove members, the owner anyone."""
    _check_members_change(me)
    check_is_member(me)
    if me.role not in _LEADERS:
        raise Forbidden("Only the chat's admins remove people.")
    if me.role is ChatRole.ADMIN and other is not ChatRole.MEMBER:
        raise Forbidden("Only the chat's owner removes its admins.")


def check_may_set_role(me: Standing, wanted: ChatRole, *, own: bool) -> None:
    """The owner gives roles; anyone may step down."""
    _check_members_change(me)
    check_is_member(me)
    steps_down = own and (me.role is wanted or wanted is ChatRole.MEMBER)
    if me.role is not ChatRole.OWNER and not steps_down:
        raise Forbidden("Only the chat's owner gives roles.")


def check_may_delete(me: Standing) -> None:
    check_is_member(me)
    if me.role is not ChatRole.OWNER:
        raise Forbidden("Only the chat's owner deletes it.")


def check_may_edit(me: Standing, *, own: bool) -> None:
    check_is_member(me)
    if not own:
        raise Forbidden("Only its sender edits a message.")


def check_may_erase(me: Standing, *, own: bool) -> None:
    """The sender, and the chat's admins; in a Single chat each only their own."""
    check_is_member(me)
    if not own and (me.type is ChatType.SINGLE or me.role not in _LEADERS):
        raise Forbidden("Only its sender and the chat's admins delete a message.")


def _check_members_change(me: Standing) -> None:
    if me.type is ChatType.SINGLE:
        raise Forbidden("The members of a Single chat never change. It can be hidden.")
