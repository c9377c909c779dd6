"""What every service answers when something went wrong: application/problem+json (RFC 9457).

Problem      the wire form
problem_of   a domain error in it
headers_of   what goes into the answer's head beside it
"""

import msgspec

from fechatter.domain.errors import DomainError, InvalidRequest, NotMadeYet, RangeNotSatisfiable, RateLimited

MEDIA_TYPE = "application/problem+json"


class FieldProblem(msgspec.Struct, frozen=True):
    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457, with a stable `code`, the request's id and the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem]


def problem_of(error: DomainError, request_id: str) -> Problem:
    fields = error.fields if isinstance(error, InvalidRequest) else {}
    return Problem(
        type=f"urn:fechatter:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        errors=[FieldProblem(field, message) for field, message in fields.items()],
    )


def headers_of(error: DomainError) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {
            "Retry-After": str(error.retry_after_s),
            "X-RateLimit-Limit": str(error.limit),
            "X-RateLimit-Remaining": str(error.remaining),
            "X-RateLimit-Reset": str(error.retry_after_s),
        }
    if isinstance(error, NotMadeYet):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{error.size}"}
    if error.status == 401:
        return {"WWW-Authenticate": 'Bearer realm="fechatter"'}
    return {"Retry-After": "1"} if error.status == 503 else {}
