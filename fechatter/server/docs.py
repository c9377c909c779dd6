"""/docs: the API as a page that one can read without a script or another site.

DocsPage   renders the OpenAPI document as HTML
"""

from html import escape
from typing import Any

from litestar.connection import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}code{font-size:.95em}"


class DocsPage(OpenAPIRenderPlugin):
    """A list of the routes, each with what it says of itself; /openapi.json has the rest."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        del request
        info = openapi_schema["info"]
        routes = "".join(_route(path, item) for path, item in sorted(openapi_schema["paths"].items()))
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])} API</title>"
            f"<style>{_STYLE}</style><h1>{escape(info['title'])} API {escape(info['version'])}</h1>"
            f"<p>The whole of it for programs: <a href=/openapi.json>/openapi.json</a></p>{routes}</html>"
        ).encode()


def _route(path: str, item: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p><b>{escape(operation.get('summary', ''))}</b></p>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    )
