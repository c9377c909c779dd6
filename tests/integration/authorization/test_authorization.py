"""Every route × everybody × own, foreign and unknown ids. A route without a row in the table fails."""

import re
from collections.abc import AsyncGenerator
from operator import attrgetter

import msgspec
import pytest
from litestar.routes import HTTPRoute

from fechatter import config
from fechatter.config import Limits, Notify, Server, Settings
from tests.clients.api import Answer, Person
from tests.integration.authorization.scene import ACTORS, Actor, Ids, Scene, Stage
from tests.integration.authorization.table import BODIES, CHAT, EXCEPTIONS, OTHER, PUBLIC, QUERIES
from tests.integration.files.uploading import BOUNDARY
from tests.support.database import DatabaseServer
from tests.support.ports import free_port
from tests.support.world import World

CHAT_TYPES = ("PrivateChannel", "PublicChannel")
HOME: tuple[Actor, ...] = ("owner", "admin", "member", "guest", "outsider", "visitor")
WITH_IDS = sorted(route for route in CHAT | OTHER if "{" in route)
NESTED = [route for route in WITH_IDS if route.count("{") == 2]


@pytest.fixture(scope="module")
async def stage(postgres: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    url = postgres.clone()
    settings = config.prepare(
        Settings(
            data_dir=tmp_path_factory.mktemp("matrix") / "data",
            server=Server(port=free_port(), db_url=url),
            notify=Notify(port=free_port()),
            limits=Limits(enabled=False),
        )
    )
    async with World.open(settings) as world:
        stage = Stage(world)
        await stage.set_up()
        yield stage
    postgres.drop(url)


def test_every_route_has_a_row_and_every_row_a_route(stage: Stage) -> None:
    """What lies below /docs is documentation, for everybody."""
    routes: list[object] = attrgetter("_app._app.routes")(stage.world.app)
    served = {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
        for route in routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/docs/")
        for method in route.methods
        if method not in ("OPTIONS", "HEAD")
    }
    assert served == CHAT.keys() | OTHER.keys() | PUBLIC.keys()


@pytest.mark.parametrize("route", sorted(CHAT))
@pytest.mark.parametrize("chat_type", CHAT_TYPES)
async def test_in_a_chat_everyone_may_do_what_the_table_says(stage: Stage, route: str, chat_type: str) -> None:
    await _check_row(stage, route, chat_type, CHAT[route][CHAT_TYPES.index(chat_type)])


@pytest.mark.parametrize("route", sorted(OTHER))
async def test_elsewhere_everyone_may_do_what_the_table_says(stage: Stage, route: str) -> None:
    await _check_row(stage, route, "PrivateChannel", OTHER[route])


@pytest.mark.parametrize("route", sorted(PUBLIC))
async def test_what_is_public_is_the_same_for_all(stage: Stage, route: str) -> None:
    got = {actor: (await _ask_as(stage, actor, route)).status for actor in ACTORS}
    assert got == dict.fromkeys(ACTORS, PUBLIC[route])


@pytest.mark.parametrize("route", WITH_IDS)
async def test_what_exists_elsewhere_is_answered_like_what_does_not_exist(stage: Stage, route: str) -> None:
    for actor in HOME:
        scene, person = await stage.scene(actor, "PrivateChannel")
        foreign = await _ask(stage, person, route, scene, scene.foreign)
        unknown = await _ask(stage, person, route, scene, scene.unknown)
        assert (foreign.status, unknown.status) == (404, 404), actor
        assert _told(foreign) == _told(unknown)


@pytest.mark.parametrize("route", NESTED)
async def test_what_is_not_in_the_place_named_is_answered_the_same_wherever_it_is(stage: Stage, route: str) -> None:
    """A chat of one's own, but a message or a person of another workspace, or of none."""
    for actor in HOME:
        scene, person = await stage.scene(actor, "PublicChannel")
        answers = [
            await _ask(stage, person, route, scene, _inner(scene, ids)) for ids in (scene.foreign, scene.unknown)
        ]
        assert {answer.status for answer in answers} <= {403, 404}, actor
        assert _told(answers[0]) == _told(answers[1])


async def _check_row(stage: Stage, route: str, chat_type: str, row: str) -> None:
    wanted = dict(zip(ACTORS, [*map(int, row.split()), 401, 401, 401], strict=True))
    wanted |= {actor: status for (exception, actor), status in EXCEPTIONS.items() if exception == route}
    got = {actor: (await _ask_as(stage, actor, route, chat_type)).status for actor in ACTORS}
    assert got == wanted


async def _ask_as(stage: Stage, actor: Actor, route: str, chat_type: str = "PrivateChannel") -> Answer:
    scene, person = await stage.scene(actor, chat_type)
    return await _ask(stage, person, route, scene, scene.own)


async def _ask(stage: Stage, person: Person | None, route: str, scene: Scene, ids: Ids) -> Answer:
    method, path = route.split(" ")
    query = QUERIES[route](scene) if route in QUERIES else ""
    body = BODIES[route](scene) if route in BODIES else None
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if isinstance(body, bytes) else None
    return await stage.ask(person, method, _filled(path, ids) + query, body, headers)


def _filled(path: str, ids: Ids) -> str:
    named = {name if name == "code" else f"{name}_id": value for name, value in msgspec.structs.asdict(ids).items()}
    return path.format_map(named | {"path": "chats/1"})


def _inner(scene: Scene, ids: Ids) -> Ids:
    """Own chat and workspace, the rest of `ids`."""
    return msgspec.structs.replace(ids, chat=scene.own.chat, workspace=scene.own.workspace)


def _told(answer: Answer) -> object:
    """What an answer says, without what is always different."""
    told = msgspec.json.decode(answer.body)
    return told | {"request_id": ""}


def test_the_table_can_be_read_as_a_table() -> None:
    """Eight columns, so that no status slips into another's place."""
    rows = [row for pair in CHAT.values() for row in pair] + list(OTHER.values())
    assert {len(row.split()) for row in rows} == {len(ACTORS) - 3}
