"""What the audit log keeps: acts that concern security, by name."""

from enum import StrEnum


class Act(StrEnum):
    SIGNED_UP = "signed_up"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    SESSION_ENDED = "session_ended"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an act
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an act
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 - the name of an act
    ADMIN_CREATED = "admin_created"
    USER_SUSPENDED = "user_suspended"
    USER_READMITTED = "user_readmitted"
    WORKSPACE_CREATED = "workspace_created"
    WORKSPACE_CHANGED = "workspace_changed"
    WORKSPACE_DELETED = "workspace_deleted"
    MEMBER_ROLE_CHANGED = "member_role_changed"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBER_READMITTED = "member_readmitted"
    MEMBER_REMOVED = "member_removed"
    MEMBER_LEFT = "member_left"
    INVITE_CREATED = "invite_created"
    INVITE_REVOKED = "invite_revoked"
    INVITE_ACCEPTED = "invite_accepted"
