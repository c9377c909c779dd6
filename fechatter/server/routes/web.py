"""Everything else is the web client: its files, and its page at every address of its own."""

from litestar import Response, get

from fechatter.domain.errors import NotFound
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context
from fechatter.server.routes.service import notify_url
from fechatter.server.web import WebClient, asset_response, page_policy


@get(["/", "/{path:path}"], include_in_schema=False)
async def web_client(request: ApiRequest, context: Context, web: WebClient, path: str = "") -> Response[bytes]:
    asset = None if path.startswith("/api/") else web.find(path)
    if asset is None:
        raise NotFound
    return asset_response(
        asset,
        if_none_match=request.headers.get("if-none-match", ""),
        accept_encoding=request.headers.get("accept-encoding", ""),
        policy=page_policy(notify_url(request, context)),
    )


ROUTES = [web_client]
