"""The error tree: what can go wrong for a caller, with its stable code, its status and one sentence.

DomainError
├── InvalidRequest 400 ── names the fields ── UpgradeRequired 426
├── Unauthenticated 401 ── TokenExpired 401
├── Forbidden 403 ── Suspended 403
├── NotFound 404            also for what the caller may not see (P8) ── NotMadeYet 404
├── RequestTimeout 408
├── Conflict 409 ── EmailTaken, ChatNameTaken, IdempotencyConflict, OwnerRequired
├── InviteGone 410
├── TooLarge 413 ── HeadTooLarge 431
├── UnsupportedMediaType 415
├── RangeNotSatisfiable 416
├── RateLimited 429
└── Unavailable 503
OperatorError               for the command line: one sentence that says what to do
"""

from typing import ClassVar


class DomainError(Exception):
    """An answer other than success. `code` is stable; `detail` is one sentence for people."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or f"{self.title}."
        super().__init__(self.detail)


class InvalidRequest(DomainError):
    """The request breaks the contract. `fields` maps a field's path to what is wrong with it."""

    code, status, title = "invalid_request", 400, "The request is not valid"

    def __init__(self, detail: str | None = None, fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        if detail is None and self.fields:
            detail = "; ".join(f"{field}: {message}" for field, message in self.fields.items())
        super().__init__(detail)


class UpgradeRequired(InvalidRequest):
    status, title = 426, "This address speaks the WebSocket protocol, version 13"


class Unauthenticated(DomainError):
    code, status, title = "unauthenticated", 401, "Sign in to go on"


class TokenExpired(Unauthenticated):
    code, title = "token_expired", "The token has expired: refresh it"


class Forbidden(DomainError):
    code, status, title = "forbidden", 403, "You may not do this"


class Suspended(Forbidden):
    code, title = "suspended", "This account is suspended: ask an administrator"


class NotFound(DomainError):
    code, status, title = "not_found", 404, "There is nothing here that you can see"


class NotMadeYet(NotFound):
    """It will be there in some seconds."""

    title = "This is being made: try again in a moment"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__()


class MethodNotAllowed(DomainError):
    code, status, title = "method_not_allowed", 405, "This address does not take that method"


class RequestTimeout(DomainError):
    code, status, title = "request_timeout", 408, "The request came too slowly: try again"


class Conflict(DomainError):
    code, status, title = "conflict", 409, "This does not fit the present state"


class EmailTaken(Conflict):
    code, title = "email_taken", "This email address has an account: sign in instead"


class ChatNameTaken(Conflict):
    code, title = "chat_name_taken", "A channel of this workspace has that name: choose another"


class IdempotencyConflict(Conflict):
    code, title = "idempotency_conflict", "This idempotency key was used for a different message"


class OwnerRequired(Conflict):
    code, title = "owner_required", "The last owner cannot leave: hand over first"


class InviteGone(DomainError):
    code, status, title = "invite_gone", 410, "This invite has been used up or has expired: ask for a new one"


class TooLarge(DomainError):
    code, status, title = "too_large", 413, "The request is too large"


class HeadTooLarge(TooLarge):
    status, title = 431, "The head of the request is too large"


class UnsupportedMediaType(DomainError):
    code, status, title = "unsupported_media_type", 415, "Send JSON with Content-Type: application/json"


class RangeNotSatisfiable(DomainError):
    """The range lies beyond the end of `size` bytes."""

    code, status, title = "range_not_satisfiable", 416, "The file does not reach so far"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"The file has {size:,} bytes.")


class RateLimited(DomainError):
    """Too many requests. Carries the figures of the X-RateLimit headers, in whole seconds and requests."""

    code, status, title = "rate_limited", 429, "Too many requests: wait a little"

    def __init__(self, retry_after_s: int, limit: int, remaining: int = 0) -> None:
        self.retry_after_s, self.limit, self.remaining = retry_after_s, limit, remaining
        super().__init__(f"Too many requests: try again in {retry_after_s} s.")


class Unavailable(DomainError):
    code, status, title = "unavailable", 503, "A part of the service is away: try again in a moment"

    @property
    def reason(self) -> str:
        """What it came from, in one line, for whoever runs this. Databases put values into the lines that follow."""
        cause = self.__cause__ or self
        return (str(cause).strip() or type(cause).__name__).splitlines()[0][:300]


class Internal(DomainError):
    code, status, title = "internal", 500, "Something went wrong on our side"


class OperatorError(Exception):
    """Stops a command. Its text is one sentence that says what is wrong and what to do."""


class SchemaMismatch(OperatorError):
    """The database's schema and this program's migrations do not fit together."""
