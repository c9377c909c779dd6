"""The OpenAPI 3.1 document of an app: what its routes take and give, from their own types.

document   of an app, made once
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any, get_args, get_origin

from litestar import Litestar, Response
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

import fechatter
from fechatter.config import Limits
from fechatter.domain.errors import (
    DomainError,
    InvalidRequest,
    NotFound,
    RateLimited,
    RequestTimeout,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from fechatter.problems import Problem
from fechatter.server.openapi.operations import OPERATIONS, Operation
from fechatter.server.openapi.schemas import Schemas, parameter_schema

_SESSION = {"caller", "claimed", "reader"}
_PROVIDED = _SESSION | {"request", "context", "web", "data", "headers", "cookies", "state", "scope"}
_INTRODUCTION = """
All bodies are JSON in UTF-8, but for uploads. Times are RFC 3339 in UTC with `Z`, ids whole numbers. An unknown field
is refused. Errors are `application/problem+json` (RFC 9457) with a stable `code`; what the caller may not see is
`not_found`, as if it were not there. Every answer carries `X-Request-Id`. Lists are arrays, with
`Link: <…>; rel="next"` while there is more.
"""
_SUCCESS = {200: "Done.", 201: "Made.", 204: "Done; there is nothing to say."}
_REQUEST_ID = {"description": "Names the request in logs and problems.", "schema": {"type": "string"}}
_SECONDS = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 1}}
_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "The bytes."},
        "workspace_id": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
    },
}
_FILE_HEADERS = ("Range", "If-Range", "If-None-Match")


def document(app: Litestar, limits: Limits) -> dict[str, Any]:
    """The document, ready to be encoded. Raises LookupError for a route that operations.py does not know."""
    routes = sorted(_documented(app), key=lambda route: (route[1], route[0]))
    kinds = [kind for _, _, handler in routes for kind in (_body(handler), _answer(handler))]
    schemas = Schemas([*kinds, Problem], limits)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for method, path, handler in routes:
        paths[path][method.lower()] = _operation(method, path, handler, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fechatter",
            "version": fechatter.__version__,
            "summary": "Team chat that a group can own.",
            "description": cleandoc(_INTRODUCTION),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tags(handler)[0] for _, _, handler in routes)],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "headers": {"X-Request-Id": _REQUEST_ID},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "files_cookie": {"type": "apiKey", "in": "cookie", "name": "fechatter_files"},
                "refresh_cookie": {"type": "apiKey", "in": "cookie", "name": "fechatter_refresh"},
            },
        },
    }


def errors_of(method: str, path: str, handler: HTTPRouteHandler) -> Sequence[type[DomainError]]:
    """All that the route may refuse with, by rule and by the table, in the order of status."""
    own = OPERATIONS[f"{method} {path}"].errors
    found = dict.fromkeys(own)
    names = set(handler.parsed_fn_signature.parameters)
    if names & _SESSION:
        found |= dict.fromkeys((Unauthenticated, TokenExpired, RateLimited, Unavailable))
    if "{" in path:
        found |= {NotFound: None}
    if "data" in names or path == "/api/files" or _query_names(path, handler):
        found |= {InvalidRequest: None}
    if method in ("POST", "PUT", "PATCH"):
        found |= dict.fromkeys((InvalidRequest, RequestTimeout, TooLarge, UnsupportedMediaType))
    return sorted(found, key=lambda error: error.status)


def _documented(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    return [
        (method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.include_in_schema is not False and handler.handler_name != "options_handler"
        for method in handler.http_methods
        if method not in ("HEAD", "OPTIONS")
    ]


def _operation(method: str, path: str, handler: HTTPRouteHandler, schemas: Schemas) -> dict[str, Any]:
    known = OPERATIONS.get(f"{method} {path}")
    if known is None:
        raise LookupError(f"{method} {path} has no entry in fechatter/server/openapi/operations.py")
    operation: dict[str, Any] = {
        "operationId": known.id,
        "summary": handler.summary,
        "tags": _tags(handler),
        "security": _security(path, handler),
        "parameters": _parameters(path, handler),
        "responses": _responses(method, path, handler, known, schemas),
    }
    if text := cleandoc(handler.fn.__doc__ or ""):
        operation["description"] = text
    if (body := _request_body(path, handler, schemas)) is not None:
        operation["requestBody"] = body
    return operation


def _security(path: str, handler: HTTPRouteHandler) -> list[dict[str, list[str]]]:
    names = set(handler.parsed_fn_signature.parameters)
    if "reader" in names:
        return [{"bearer": []}, {"files_cookie": []}]
    if names & _SESSION:
        return [{"bearer": []}]
    if path == "/api/auth/refresh":
        return [{"refresh_cookie": []}, {}]
    return [{"bearer": []}, {"refresh_cookie": []}, {}] if "signout" in path else []


def _parameters(path: str, handler: HTTPRouteHandler) -> list[dict[str, Any]]:
    fields = _fields(handler)
    found: list[dict[str, Any]] = []
    for name in (name for name in fields if f"{{{name}}}" in path):
        found.append({"name": name, "in": "path", "required": True, "schema": parameter_schema(name, fields[name])})
    for name in _query_names(path, handler):
        schema = parameter_schema(name, fields[name])
        parameter = {"name": name, "in": "query", "required": fields[name].is_required, "schema": schema}
        if text := schema.pop("description", None):
            parameter["description"] = text
        found.append(parameter)
    if path.startswith("/api/files/{"):
        names = _FILE_HEADERS[2:] if path.endswith("thumbnail") else _FILE_HEADERS
        found += [{"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in names]
    return found


def _query_names(path: str, handler: HTTPRouteHandler) -> list[str]:
    return [name for name in _fields(handler) if name not in _PROVIDED and f"{{{name}}}" not in path]


def _fields(handler: HTTPRouteHandler) -> dict[str, FieldDefinition]:
    """What a handler takes; of what is provided to it alone, what that takes."""
    found: dict[str, FieldDefinition] = {}
    own = handler.dependencies or {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        provider = own.get(name)
        if isinstance(provider, Provide) and name not in _PROVIDED:
            found |= provider.parsed_fn_signature.parameters
        else:
            found[name] = field
    return found


def _request_body(path: str, handler: HTTPRouteHandler, schemas: Schemas) -> dict[str, Any] | None:
    if path == "/api/files":
        return {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}
    if (kind := _body(handler)) is None:
        return None
    required = not handler.parsed_fn_signature.parameters["data"].is_optional
    return {"required": required, "content": {"application/json": schemas.media(kind)}}


def _responses(method: str, path: str, handler: HTTPRouteHandler, known: Operation, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {str(handler.status_code): _success(path, handler, handler.status_code, schemas)}
    for status, text in known.also.items():
        found[str(status)] = _success(path, handler, status, schemas) | {"description": text}
    by_status: defaultdict[int, list[type[DomainError]]] = defaultdict(list)
    for error in errors_of(method, path, handler):
        by_status[error.status].append(error)
    found |= {str(status): _refusal(status, errors) for status, errors in by_status.items()}
    return {status: found[status] for status in sorted(found)}


def _success(path: str, handler: HTTPRouteHandler, status: int, schemas: Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _SUCCESS.get(status, ""),
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
    }
    kind = _answer(handler)
    if path.startswith("/api/files/{"):
        response["headers"] |= {"ETag": {"schema": {"type": "string"}}}
        media_type = "image/webp" if path.endswith("thumbnail") else "*/*"
        response |= {} if status == 304 else {"content": {media_type: {}}}
    elif kind is not None:
        response["content"] = {"application/json": schemas.media(kind)}
        if get_origin(kind) is list and handler.http_methods == {"GET"}:
            link = 'The address of the next page: `<…>; rel="next"`.'
            response["headers"] |= {"Link": {"description": link, "schema": {"type": "string"}}}
    return response


def _refusal(status: int, errors: Sequence[type[DomainError]]) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status in (429, 503):
        headers["Retry-After"] = _SECONDS
    return {
        "description": " ".join(f"`{error.code}`: {error.title}." for error in errors),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _body(handler: HTTPRouteHandler) -> Any:
    field = handler.parsed_fn_signature.parameters.get("data")
    if field is None:
        return None
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    return kinds[0] if field.is_optional else field.annotation


def _answer(handler: HTTPRouteHandler) -> Any:
    """The type of the body of success; None where there is none, or only bytes."""
    kind = handler.parsed_fn_signature.return_type.annotation
    if get_origin(kind) is not None and isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Response):
        kind = get_args(kind)[0]
    return None if kind in (Any, bytes, None, type(None)) else kind


def _tags(handler: HTTPRouteHandler) -> list[str]:
    return list(handler.tags or ["service"])


def codes() -> Mapping[str, type[DomainError]]:
    """Every code that a problem can have, with the error that has it, in the order of status."""
    found = {error.code: error for error in _below(DomainError)}
    return dict(sorted(found.items(), key=lambda item: (item[1].status, item[0])))


def _below(kind: type[DomainError]) -> list[type[DomainError]]:
    """Those nearer to the root last, so that of two with one code the general one stays."""
    return [*(error for child in kind.__subclasses__() for error in _below(child)), *kind.__subclasses__()]
