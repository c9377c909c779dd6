"""Errors as answers: a problem (fechatter/problems.py), whatever went wrong.

problem_response  a domain error as an answer
problem_answer    the same as status, body and headers
tell_why          the log hears what a caller need not know
fault_in_body     what is wrong with a body, by field
handlers          what the app does with each kind of exception
"""

import re
from collections.abc import Callable
from typing import Any, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from fechatter import logs
from fechatter.domain import errors
from fechatter.domain.errors import DomainError, InvalidRequest
from fechatter.problems import MEDIA_TYPE, headers_of, problem_of

log = logs.get(__name__)
_AT_PATH = re.compile(r"^(?P<message>.*?) - at `\$\.?(?P<path>.*)`$", re.DOTALL)
_NAMES_FIELD = re.compile(r"^Object (?:contains unknown|missing required) field `(?P<name>[^`]*)`$")
_BY_STATUS: dict[int, type[DomainError]] = {
    400: errors.InvalidRequest,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    408: errors.RequestTimeout,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
}


def problem_response(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    """The answer that tells of `error`."""
    problem = problem_of(error, request.scope["state"].get("request_id", ""))
    return Response(
        msgspec.json.encode(problem),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=headers_of(error),
    )


def problem_answer(error: DomainError, request_id: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, body and headers of the same answer, for code that speaks ASGI itself."""
    headers = {"Content-Type": MEDIA_TYPE} | headers_of(error)
    body = msgspec.json.encode(problem_of(error, request_id))
    return error.status, body, [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def tell_why(error: DomainError, method: str, path: str) -> None:
    """The caller hears that a part is away, the log also why."""
    if isinstance(error, errors.Unavailable) and error.__cause__ is not None:
        log.warning("unavailable", path=path, method=method, why=error.reason)


def _on_domain_error(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    tell_why(error, request.method, request.url.path)
    return problem_response(request, error)


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework itself refuses: routing, decoding, validation, sizes."""
    if isinstance(error, ValidationException):
        return problem_response(request, _invalid(error))
    kind = _BY_STATUS.get(error.status_code, errors.Internal if error.status_code >= 500 else errors.InvalidRequest)
    detail = error.detail if kind is errors.InvalidRequest else None
    response = problem_response(request, kind(detail))
    if allow := (error.headers or {}).get("allow") or (error.headers or {}).get("Allow"):
        response.headers["Allow"] = allow
    return response


def _on_endless_nesting(request: Request[Any, Any, Any], _: RecursionError) -> Response[bytes]:
    """Only decoders of what was sent recurse, and they stop at the interpreter's limit."""
    return problem_response(request, InvalidRequest("The body is nested too deeply."))


def _on_undecodable(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[bytes]:
    """The body of a request is the only text that is decoded from outside."""
    del error
    return problem_response(request, InvalidRequest("The body is not text in UTF-8."))


def _on_other_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A bug. The log gets where it happened, the caller gets the id to ask about; neither gets values."""
    log.error("request failed", path=request.url.path, method=request.method, exc_info=error)
    return problem_response(request, errors.Internal())


handlers: dict[int | type[Exception], Callable[[Request[Any, Any, Any], Any], Response[Any]]] = {
    DomainError: _on_domain_error,
    HTTPException: _on_http_error,
    RecursionError: _on_endless_nesting,
    UnicodeDecodeError: _on_undecodable,
    Exception: _on_other_error,
}


def fault_in_body(message: str) -> InvalidRequest:
    """msgspec's words on what is wrong with a body, as ours."""
    field, message = _located("data", message)
    return InvalidRequest(fields={field: message})


def _invalid(error: ValidationException) -> DomainError:
    """The framework's list of faults as ours. A path that names no possible id names nothing: 404."""
    faults: list[dict[str, Any]] = [fault for fault in _faults(error.extra) if fault]
    if faults and all(fault.get("source") == "path" for fault in faults):
        return errors.NotFound()
    fields: dict[str, str] = {}
    for fault in faults:
        message = str(fault.get("message", "is not valid"))
        key = str(fault.get("key", "body"))
        path, message = _located(key, message)
        fields[path] = message
    return InvalidRequest(fields=fields) if fields else InvalidRequest(error.detail)


def _faults(extra: object) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", extra) if isinstance(extra, list) else []


def _located(key: str, message: str) -> tuple[str, str]:
    """Where a fault of the body lies, as a dotted path, and what it is."""
    path = "" if key == "data" else key
    if match := _AT_PATH.match(message):
        message, path = match["message"], match["path"]
    if match := _NAMES_FIELD.match(message):
        path = f"{path}.{match['name']}" if path else match["name"]
        message = "is required" if "missing" in message else "is not a field of this request"
    return path or "body", message
