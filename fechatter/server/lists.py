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
EVERYONE = 10_000
"""What "all" is where a list comes whole; beyond it there is a link to the rest."""
PAGE = 50
"""How many a list has at most, unless asked for another number."""

Id = Annotated[int, Parameter(ge=1, le=MAX_ID)]
OptionalId = Annotated[int | None, Parameter(ge=1, le=MAX_ID)]
Limit = Annotated[int, Parameter(ge=1, le=100, description="How many at most.")]
OptionalLimit = Annotated[int | None, Parameter(ge=1, le=100, description="How many at most; left out: all.")]
Offset = Annotated[int, Parameter(ge=0, le=1_000_000, description="How many to skip; the Link header sets it.")]


def listing(request: Request[Any, Any, Any], found: Sequence[_T], limit: int, offset: int) -> Response[list[_T]]:
    """`found`, asked for with one more than fits, cut to the page; with a link to the next if there is one."""
    headers = {"Link": next_link(request, offset=offset + limit)} if len(found) > limit else {}
    return Response(list(found[:limit]), headers=headers)


def next_link(request: Request[Any, Any, Any], **changes: object) -> str:
    """The request's own address with some parameters changed (None: left out), as a link to the next page."""
    kept = {key: value for key, value in request.query_params.items() if key not in changes}
    query = kept | {key: value for key, value in changes.items() if value is not None}
    return f'<{request.url.path}?{urlencode(query)}>; rel="next"'
