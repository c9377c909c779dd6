"""The contract as a document: complete, in agreement with the running server, readable for people and programs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fechatter.config import Settings
from fechatter.server.openapi.document import codes
from fechatter.server.openapi.examples import EXAMPLES
from fechatter.server.openapi.operations import OPERATIONS
from tests.clients.api import Api
from tests.support.stack import Stack
from tests.support.waiting import run_apart
from tests.support.world import World

Document = dict[str, Any]
# Ends the session that the others need; the authorization tests have it.
ENDS_THE_SESSION = ("/api/auth/signout", "/api/auth/signout-all", "/api/auth/sessions/{session_id}")
# What depends on more than the shape of a request (two of three anchors, a name that is taken) is refused with 400.
NOT_CHECKED = "positive_data_acceptance"
# The parts of a form are bytes, whatever they were made from: there is no wrong type. Uploads have tests of their own.
WITHOUT_TYPES = ("/api/files",)


@pytest.fixture
async def document(world: World) -> Document:
    return msgspec.json.decode((await world.api.ask("GET", "/openapi.json")).body)


def operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


async def test_every_route_is_documented_and_nothing_else(document: Document) -> None:
    """A new route without an entry fails already when the document is made."""
    assert set(operations(document)) == set(OPERATIONS)
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


async def test_every_route_says_what_it_is_for_and_how_it_may_refuse(document: Document) -> None:
    for route, operation in operations(document).items():
        assert operation["summary"], route
        assert operation["tags"], route
        if "/api/" not in route or route == "GET /api/config":
            continue
        refusals = [status for status in operation["responses"] if status >= "400"]
        assert "429" in refusals, route
        for status in refusals:
            content = operation["responses"][status]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


async def test_what_needs_a_session_says_so(world: World, document: Document) -> None:
    for route, operation in operations(document).items():
        method, path = route.split()
        needed = "".join(
            f"?{each['name']}=1" for each in operation["parameters"] if each["in"] == "query" and each["required"]
        )
        answer = await world.api.ask(method, re.sub(r"\{\w+\}", "1", path) + needed)
        is_open = operation["security"] == [] or {} in operation["security"]
        assert (answer.status == 401) == (not is_open) or "signout" in path or "refresh" in path, route


async def test_every_type_on_the_wire_has_an_example_that_fits(document: Document) -> None:
    import jsonschema_rs  # schemathesis brings it; nothing else here needs it

    schemas: Document = document["components"]["schemas"]
    shown = {name for name, schema in schemas.items() if "properties" in schema}
    assert shown - {"Config", "ClientLimits", "FieldProblem"} <= set(EXAMPLES)
    assert set(EXAMPLES) <= shown
    for name, example in EXAMPLES.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        jsonschema_rs.validate(schema, example)


async def test_ids_are_64_bit_and_positive(document: Document) -> None:
    message = document["components"]["schemas"]["Message"]["properties"]
    assert message["id"] == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}
    (chat_id,) = document["paths"]["/api/chats/{chat_id}"]["get"]["parameters"]
    assert (chat_id["schema"]["minimum"], chat_id["schema"]["format"]) == (1, "int64")


async def test_the_limits_in_it_are_those_of_the_installation(settings: Settings, document: Document) -> None:
    draft = document["components"]["schemas"]["Draft"]["properties"]
    assert draft["content"]["maxLength"] == settings.limits.content_chars
    assert draft["files"]["maxItems"] == settings.limits.files_per_message


async def test_the_page_shows_all_of_it_without_a_script(world: World, document: Document) -> None:
    answer = await world.api.ask("GET", "/docs")
    page = answer.body.decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for operation in operations(document).values():
        assert f'id="{operation["operationId"]}"' in page
    for code in codes():
        assert f"<code>{code}</code>" in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


async def test_a_parameter_is_given_once_and_never_null(world: World) -> None:
    (ada,) = await world.people("Ada")
    for query in ("workspace_id=null", "limit=1&limit=2", "limit=null"):
        (await ada.ask("GET", f"/api/chats?{query}")).problem(400, "invalid_request")
    assert (await ada.ask("GET", f"/api/presence?user_id={ada.id}&user_id={ada.id}")).status == 200


async def test_options_names_all_methods(world: World, document: Document) -> None:
    for path, item in document["paths"].items():
        answer = await world.api.ask("OPTIONS", re.sub(r"\{\w+\}", "1", path))
        assert {method.upper() for method in item} <= set(answer.headers["allow"].split(", ")), path


def test_the_server_keeps_the_contract_whatever_it_is_sent(shared_stack: Stack, tmp_path: Path) -> None:
    """Hundreds of requests made from the document: no 5xx, no undeclared status, no answer of another form."""
    said_before = len(shared_stack.output())
    token = run_apart(lambda: token_of_somebody(shared_stack))
    left_out = [word for path in (*ENDS_THE_SESSION, *WITHOUT_TYPES) for word in ("--exclude-path", path)]
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{shared_stack.api_url}/openapi.json"]
    options = {"--header": f"Authorization: Bearer {token}", "--max-examples": "25", "--max-time": "60"}
    pairs = [word for pair in (options | {"--exclude-checks": NOT_CHECKED}).items() for word in pair]
    run = subprocess.run(
        [*command, *pairs, "--no-color", "--generation-deterministic", *left_out],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated, run.stdout[-2000:]
    assert int(generated[1]) > 2 * len(OPERATIONS), run.stdout[-2000:]
    assert "Traceback" not in shared_stack.output()[said_before:]


async def token_of_somebody(stack: Stack) -> str:
    async with Api(stack.api_url) as api:
        return (await api.sign_up("Ada")).token
