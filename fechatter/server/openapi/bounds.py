"""Limits that the program checks itself, since an operator can set them: as the document tells them."""

from typing import Any

from fechatter.config import Limits
from fechatter.domain.text import EMAIL_CHARS, USERNAME_CHARS

_KEY = "^[A-Za-z0-9_-]{1,64}$"


def bounds(limits: Limits) -> dict[str, dict[str, dict[str, Any]]]:
    """By type and field."""
    name, fullname = _text(1, limits.name_chars), _text(1, limits.fullname_chars)
    password = _text(limits.password_min, limits.password_max)
    content = _text(0, limits.content_chars)
    email = _text(3, EMAIL_CHARS) | {"format": "email"}
    return {
        "SignUp": {"fullname": fullname, "email": email, "password": password, "workspace": name},
        "SignIn": {"email": _text(1, 1024), "password": _text(1, limits.password_max)},
        "NewPassword": {"current_password": _text(1, limits.password_max), "new_password": password},
        "ProfileChange": {"fullname": fullname, "username": _text(1, USERNAME_CHARS)},
        "NewWorkspace": {"name": name},
        "WorkspaceChange": {"name": name},
        "NewInvite": {"email": email},
        "NewChat": {"name": name, "members": {"maxItems": limits.members_at_once}},
        "ChangedChat": {"name": name},
        "NewMembers": {"user_ids": {"maxItems": limits.members_at_once}},
        "Draft": {
            "content": content,
            "files": {"maxItems": limits.files_per_message, "uniqueItems": True},
            "idempotency_key": {"pattern": _KEY},
        },
        "NewText": {"content": content},
    }


def _text(at_least: int, at_most: int) -> dict[str, Any]:
    return {"minLength": at_least, "maxLength": at_most}
