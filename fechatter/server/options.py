"""What the framework leaves open about addresses: OPTIONS, and parameters that are none.

options_routes    OPTIONS of each path, with all of its methods
check_address     refuse ids that are written in another way, parameters that are given twice or as the word null
"""

from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import parse_qsl

from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from fechatter.domain.errors import InvalidRequest, NotFound
from fechatter.server.auth import ApiRequest

_LISTS = {"user_id"}


def options_routes(handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """To be registered before `handlers`: the framework's own name only the method that came first."""
    methods: defaultdict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= set(handler.http_methods)
    return [_options(path, ", ".join(sorted(found))) for path, found in methods.items()]


async def check_address(request: ApiRequest) -> None:
    """One thing has one address: NotFound for ids like 007, +7 or with other digits, which int() would take.

    A parameter means one thing. `null` is what a program sends by mistake, and would count as left out.
    """
    parts = request.scope["path"].split("/")
    if any(isinstance(value, int) and str(value) not in parts for value in request.path_params.values()):
        raise NotFound
    query = request.scope["query_string"]
    if not query:
        return
    seen: set[str] = set()
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in seen and name not in _LISTS:
            raise InvalidRequest(fields={name: "may be given once"})
        if value == "null" and name != "q":
            raise InvalidRequest(fields={name: "must not be null: leave it out"})
        seen.add(name)


def _options(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False, sync_to_thread=False)
    def tell_methods() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return tell_methods
