"""/docs: the contract as a page that one reads without a script or another site.

render   the OpenAPI document → the page and the policy that lets only its own style apply
"""

import base64
import hashlib
import json
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import msgspec

from fechatter.server.openapi.document import codes

_STYLE = Path(__file__).with_name("docs.css").read_text()
Json = dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """`policy`: the Content-Security-Policy to send with it."""

    content: bytes
    policy: str


def render(document: Json) -> Page:
    """The whole page: an index, the routes by tag, the codes of problems, the types."""
    info = document["info"]
    title = f"{escape(info['title'])} API {escape(info['version'])}"
    groups = _by_tag(document)
    body = "".join(
        [
            f"<header><h1>{title}</h1><p>{escape(info['summary'])}</p>",
            f"<p>{_prose(info['description'])}</p>",
            '<p>For programs: <a href="/openapi.json">/openapi.json</a></p></header>',
            _index(groups),
            "<main>",
            *(_group(tag, routes) for tag, routes in groups),
            _problems(),
            _types(document["components"]["schemas"]),
            "</main>",
        ]
    )
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title><style>{_STYLE}</style>'
    )
    content = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Page(content.encode(), f"{policy}; frame-ancestors 'none'")


def _by_tag(document: Json) -> list[tuple[str, list[tuple[str, str, Json]]]]:
    routes = [
        (operation["tags"][0], method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    routes.sort(key=lambda route: route[0])
    return [(tag, [route[1:] for route in found]) for tag, found in groupby(routes, key=lambda route: route[0])]


def _index(groups: list[tuple[str, list[tuple[str, str, Json]]]]) -> str:
    sections = "".join(
        f"<section><h2>{escape(tag)}</h2><ul>"
        + "".join(
            f'<li><a href="#{operation["operationId"]}"><b class="{method.lower()}">{method}</b> '
            f"<code>{escape(path)}</code></a></li>"
            for method, path, operation in routes
        )
        + "</ul></section>"
        for tag, routes in groups
    )
    also = '<section><h2>also</h2><ul><li><a href="#problems">Problems</a></li><li><a href="#types">Types</a></li></ul>'
    return f'<nav aria-label="Routes">{sections}{also}</section></nav>'


def _group(tag: str, routes: list[tuple[str, str, Json]]) -> str:
    return f"<section><h2>{escape(tag)}</h2>" + "".join(_route(*route) for route in routes) + "</section>"


def _route(method: str, path: str, operation: Json) -> str:
    return (
        f'<article id="{operation["operationId"]}"><h3><b class="{method.lower()}">{method}</b> '
        f"<code>{escape(path)}</code></h3><p><strong>{escape(operation['summary'])}</strong></p>"
        f"<p>{_prose(operation.get('description', ''))}</p>{_credentials(operation['security'])}"
        f"{_parameters(operation['parameters'])}{_request(operation.get('requestBody'))}"
        f"{_responses(operation['responses'])}</article>"
    )


def _credentials(security: list[Json]) -> str:
    words = {
        "bearer": "a bearer token",
        "files_cookie": "the files’ cookie",
        "refresh_cookie": "the refresh token, in the body or as its cookie",
    }
    needed = [words[name] for way in security for name in way]
    return f'<p class="quiet">Needs {" or ".join(needed)}.</p>' if needed else '<p class="quiet">Open to all.</p>'


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td><td>{_kind(each['schema'])}</td>"
        f"<td>{'required' if each['required'] else _default(each['schema'])}</td>"
        f"<td>{_prose(each.get('description', ''))}</td></tr>"
        for each in parameters
    )
    head = "<tr><th>Parameter</th><th>In</th><th>Type</th><th></th><th></th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>' if rows else ""


def _default(schema: Json) -> str:
    return f"default {escape(json.dumps(schema['default']))}" if schema.get("default") not in (None, "") else "optional"


def _request(body: Json | None) -> str:
    if body is None:
        return ""
    media_type, media = next(iter(body["content"].items()))
    need = "" if body["required"] else " (may be left out)"
    fields = "" if "$ref" in media["schema"] else _fields(media["schema"])
    return f"<h4>Request{need}: {escape(media_type)} {_kind(media['schema'])}</h4>{fields}{_example(media)}"


def _responses(responses: Json) -> str:
    good = "".join(_success(status, response) for status, response in responses.items() if status < "400")
    bad = "".join(
        f"<tr><td>{status}</td><td>{_prose(response['description'])}</td></tr>"
        for status, response in responses.items()
        if status >= "400"
    )
    table = f'<h4>Problems</h4><div class="wide"><table>{bad}</table></div>' if bad else ""
    return good + table


def _success(status: str, response: Json) -> str:
    content = cast("Json", response.get("content", {}))
    media_type, media = next(iter(content.items()), ("", cast("Json", {})))
    kind = f" {_kind(media['schema'])}" if "schema" in media else f" {escape(media_type)}"
    return f"<h4>{status}{kind}</h4><p>{_prose(response['description'])}</p>{_example(media)}"


def _example(media: Json) -> str:
    if "example" not in media:
        return ""
    shown = escape(json.dumps(media["example"], indent=2, ensure_ascii=False))
    return f"<details><summary>Example</summary><pre><code>{shown}</code></pre></details>"


def _problems() -> str:
    rows = "".join(
        f"<tr><td>{error.status}</td><td><code>{code}</code></td><td>{escape(error.title)}.</td></tr>"
        for code, error in codes().items()
    )
    return (
        '<section id="problems"><h2>Problems</h2>'
        '<p>The body of every refusal is a <a href="#type-Problem">Problem</a>; '
        "<code>code</code> never changes its meaning.</p>"
        f'<div class="wide"><table><tr><th>Status</th><th>Code</th><th></th></tr>{rows}</table></div></section>'
    )


def _types(schemas: Json) -> str:
    shown = "".join(
        f'<article id="type-{name}"><h3>{name}</h3><p>{_prose(schema.get("description", ""))}</p>{_fields(schema)}'
        f"{_example({'example': schema['examples'][0]} if 'examples' in schema else {})}</article>"
        for name, schema in sorted(schemas.items())
    )
    return f'<section id="types"><h2>Types</h2>{shown}</section>'


def _fields(schema: Json) -> str:
    if "enum" in schema:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_kind(each)}</td>"
        f"<td>{'' if name in required else 'optional'}</td><td>{_prose(each.get('description', ''))}</td></tr>"
        for name, each in schema.get("properties", {}).items()
    )
    return f'<div class="wide"><table>{rows}</table></div>' if rows else ""


def _kind(schema: Json) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    words = [str(schema.get("format") or schema.get("type", "anything"))]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        words.append(f"{'' if low is None else low}…{'' if high is None or high > 2**53 else high}")
    return escape(" ".join(words))


def _prose(text: str) -> str:
    """Text with `code` in it."""
    parts = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
