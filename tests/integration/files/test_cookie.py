"""The cookie that lets a page's images load: it reads files, and nothing else."""

import time
from http.cookies import SimpleCookie

import pytest

from fechatter.server.file_access import file_tokens
from tests.clients.api import PASSWORD, Answer, Person, new_email
from tests.integration.files.uploading import form, send_body, upload
from tests.support.world import World


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


async def signed_up(world: World) -> Answer:
    form_ = {"fullname": "Cookie", "email": new_email(), "password": PASSWORD}
    return await world.api.ask("POST", "/api/auth/signup", json=form_)


def cookie_of(answer: Answer) -> SimpleCookie:
    found = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        if header.startswith("fechatter_files="):
            found.load(header)
    return found


def file_token(world: World, person: Person) -> str:
    caller = world.as_(person)
    return file_tokens(world.settings).issue(caller.user_id, caller.session_id, time.time())


async def test_it_comes_with_a_sign_in_and_no_script_or_other_site_gets_it(world: World) -> None:
    morsel = cookie_of(await signed_up(world))["fechatter_files"]
    assert morsel["path"] == "/api/files"
    assert morsel["httponly"]
    assert morsel["samesite"].lower() == "strict"


async def test_it_reads_files_and_nothing_else(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    value = file_token(world, ada)
    jar = {"Cookie": f"fechatter_files={value}"}
    assert (await world.api.ask("GET", file.url, headers=jar)).status == 200
    for method, path in [
        ("GET", "/api/users/me"),
        ("GET", "/api/chats"),
        ("POST", "/api/files"),
        ("POST", "/api/auth/signout"),
    ]:
        (await world.api.ask(method, path, headers=jar)).problem(401, "unauthenticated")
        bearer = await world.api.ask(method, path, token=value)
        bearer.problem(401, "unauthenticated")


async def test_it_is_no_bearer_token_and_a_bearer_token_is_not_it(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    (await world.api.ask("GET", file.url, token=file_token(world, ada))).problem(401, "unauthenticated")
    swapped = {"Cookie": f"fechatter_files={ada.token}"}
    (await world.api.ask("GET", file.url, headers=swapped)).problem(401, "unauthenticated")


async def test_it_ends_with_the_session(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    jar = {"Cookie": f"fechatter_files={file_token(world, ada)}"}
    await world.sign_out(ada)
    (await world.api.ask("GET", file.url, headers=jar)).problem(401, "unauthenticated")
    (await send_body(ada, form(b"x"))).problem(401, "unauthenticated")


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "x" * 10_000, '"'])
async def test_nonsense_is_refused(world: World, value: str) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada)
    answer = await world.api.ask("GET", file.url, headers={"Cookie": f"fechatter_files={value}"})
    answer.problem(401, "unauthenticated")
