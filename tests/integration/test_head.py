"""HEAD: what GET answers, without its body (RFC 9110, 9.3.2)."""

import pytest

from fechatter.store.people import presence
from tests.clients.api import Answer, Person
from tests.integration.files.uploading import upload
from tests.support.world import World

# What differs from one answer to the next.
OF_THE_MOMENT = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}


async def both(person: Person, path: str, headers: dict[str, str] | None = None) -> tuple[Answer, Answer]:
    """The answers to GET and to HEAD."""
    got, head = [await person.api.ask(method, path, token=person.token, headers=headers) for method in ("GET", "HEAD")]
    return got, head


def assert_same_but_for_the_body(got: Answer, head: Answer) -> None:
    assert head.status == got.status
    assert head.body == b""
    assert _lasting(head) == _lasting(got)


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/ready", "/docs", "/openapi.json", "/api/config", "/api/chats", "/api/users/me", "/api/chats/7"],
)
async def test_head_is_get_without_the_body(world: World, path: str) -> None:
    (ada,) = await world.people("Ada")
    async with world.db.connection() as connection:
        await presence.note_active(connection, [ada.id])  # what is asked for here would be noted, at any moment
    got, head = await both(ada, path)
    assert_same_but_for_the_body(got, head)
    assert int(head.headers["content-length"]) > 0


async def test_metrics_have_a_head(world: World) -> None:
    answer = await world.api.ask("HEAD", "/metrics")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "asked", [{}, {"Range": "bytes=2-4"}, {"Range": "bytes=900-"}, {"If-None-Match": "*"}], ids=str
)
async def test_the_head_of_a_file_tells_its_size_and_type(world: World, asked: dict[str, str]) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, b"a text of some length", "a.txt")
    assert_same_but_for_the_body(*await both(ada, f"/api/files/{file.id}", asked))


async def test_the_head_of_a_file_reads_none_of_it(world: World) -> None:
    (ada,) = await world.people("Ada")
    file = await upload(ada, b"x" * 1_000, "a.txt")
    async with world.db.connection() as connection:
        await connection.execute("UPDATE files SET object_key = 'gone' WHERE id = $1", file.id)
    answer = await ada.ask("HEAD", f"/api/files/{file.id}")
    assert (answer.status, answer.headers["content-length"]) == (200, "1000")


async def test_the_head_of_what_one_may_not_see_tells_nothing(world: World) -> None:
    for path, status in (("/api/users/me", 401), ("/api/no/such", 404)):
        answer = await world.api.ask("HEAD", path)
        assert (answer.status, answer.body) == (status, b"")


async def test_where_nothing_is_got_there_is_no_head(world: World) -> None:
    for method, path, allowed in (
        ("HEAD", "/api/auth/signin", {"OPTIONS", "POST"}),
        ("DELETE", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/api/config", {"GET", "HEAD", "OPTIONS"}),
    ):
        answer = await world.api.ask(method, path)
        assert answer.status == 405
        assert set(answer.headers["allow"].split(", ")) == allowed
    options = await world.api.ask("OPTIONS", "/api/chats")
    assert options.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def _lasting(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}
