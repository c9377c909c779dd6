"""/openapi.json: the contract for programs; /docs: the same for people."""

from functools import lru_cache

import msgspec
from litestar import Litestar, Response, get

from fechatter.config import Limits
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.docs import Page, render
from fechatter.server.openapi import document


@get("/openapi.json", include_in_schema=False)
async def openapi(request: ApiRequest, context: Context) -> Response[bytes]:
    """The contract, OpenAPI 3.1."""
    return Response(
        _encoded(request.app, context.settings.limits),
        media_type="application/json",
        headers={"Cache-Control": "no-cache"},
    )


@get("/docs", include_in_schema=False)
async def docs(request: ApiRequest, context: Context) -> Response[bytes]:
    """Every route with what it takes, gives and refuses; without a script, and without anything of another site."""
    page = _page(request.app, context.settings.limits)
    headers = {"Content-Security-Policy": page.policy, "Cache-Control": "no-cache"}
    return Response(page.content, media_type="text/html", headers=headers)


@lru_cache(maxsize=1)
def _encoded(app: Litestar, limits: Limits) -> bytes:
    return msgspec.json.encode(document(app, limits))


@lru_cache(maxsize=1)
def _page(app: Litestar, limits: Limits) -> Page:
    return render(document(app, limits))


ROUTES = [openapi, docs]
