"""Lists: plain arrays, with a Link header (RFC 8288) when there is more.

Limit, Offset   query parameters of lists
Id, OptionalId  an id in a path or a query
listing         a list as an answer
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.params import Parameter

from fechatter.domain.ids import MAX_ID

_T = TypeVar("_T")
WHOLE = 5_000
"""A list of chats or people without `limit` comes whole, up to so many: a sidebar wants it all."""

Id = Annotated[int, Parameter(ge=1, le=MAX_ID)]
OptionalId = Annotated[int | None, Parameter(ge=1, le=MAX_ID)]
Limit = Annotated[int | None, Parameter(ge=1, le=100, description="How many at most.")]
PageLimit = Annotated[int, Parameter(ge=1, le=100, description="How many at most.")]
Offset = Annotated[int, Parameter(ge=0, le=1_000_000, description="How many to skip; the Link header sets it.")]


def listing(request: Request[Any, Any, Any], found: Sequence[_T], limit: int | None, offset: int) -> Response[list[_T]]:
    """`found`, asked for with one more than fits, cut to the page; with a link to the next if there is one."""
    size = limit or WHOLE
    page = list(found[:size])
    headers = {"Link": next_link(request, offset=offset + size)} if len(found) > size else {}
    return Response(page, headers=headers)


def next_link(request: Request[Any, Any, Any], **changes: object) -> str:
    """The request's own address with some parameters changed (None: left out), as a link to the next page."""
    kept = {key: value for key, value in request.query_params.items() if key not in changes}
    query = kept | {key: value for key, value in changes.items() if value is not None}
    return f'<{request.url.path}?{urlencode(query)}>; rel="next"'
