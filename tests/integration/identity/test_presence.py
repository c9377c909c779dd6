"""Presence: what one chooses, what one does, and who may know."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fechatter.domain.people import WorkspaceRole
from fechatter.store.people import presence
from tests.clients.api import PASSWORD, Person
from tests.support.world import World

Json = dict[str, Any]


async def status_of(viewer: Person, person: Person) -> str | None:
    found = (await viewer.ask("GET", f"/api/presence?user_id={person.id}")).json(list[Json])
    return found[0]["status"] if found else None


async def choose(person: Person, **form: object) -> Json:
    return (await person.ask("PUT", "/api/users/me/presence", form)).json(Json)


async def later(world: World, minutes: int) -> None:
    """So long ago everything that is known of presence has happened."""
    await world.db.fetch(
        """
        UPDATE presence SET until = until - $1::interval, connected_at = connected_at - $1::interval,
            left_at = left_at - $1::interval, active_at = active_at - $1::interval
        """,
        timedelta(minutes=minutes),
    )


async def test_a_chosen_status_holds_until_its_time(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    until = (datetime.now(UTC) + timedelta(minutes=3)).isoformat()
    chosen = await choose(ada, status="busy", text=" at lunch ", until=until)
    assert (chosen["user_id"], chosen["status"], chosen["text"]) == (ada.id, "busy", "at lunch")
    assert await status_of(bob, ada) == "busy"
    assert (await bob.ask("GET", f"/api/users/{ada.id}")).json(Json)["presence"] == "busy"
    await later(world, 4)
    assert await status_of(bob, ada) == "online"


async def test_who_has_a_stream_open_is_online_then_away_and_offline_when_it_closes(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    async with world.db.connection() as connection:
        await presence.note_active(connection, [ada.id])
        await later(world, 11)
        assert await status_of(bob, ada) == "offline"
        await presence.touch(connection, [ada.id])
        assert await status_of(bob, ada) == "away"
        await presence.note_active(connection, [ada.id])
        assert await status_of(bob, ada) == "online"
        await presence.leave(connection, [ada.id])
        assert await status_of(bob, ada) == "offline"


async def test_who_comes_in_and_only_opens_a_stream_is_online(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    bob = await world.api.sign_up("Bob", invite=(await ada.invite()).code)

    async def stream_opens() -> str | None:
        async with world.db.connection() as connection:
            await presence.touch(connection, [bob.id])
        return await status_of(ada, bob)

    sign_in = {"email": bob.user.email, "password": PASSWORD}
    refresh = {"refresh_token": bob.refresh_token}
    await world.db.fetch("DELETE FROM presence WHERE user_id = $1", bob.id)
    assert await stream_opens() == "away"
    for path, form in (("signin", sign_in), ("refresh", refresh)):
        await world.db.fetch("DELETE FROM presence WHERE user_id = $1", bob.id)
        (await world.api.ask("POST", f"/api/auth/{path}", json=form)).json(Json)
        assert await stream_opens() == "online"
    newcomer = await world.api.sign_up("Cem", invite=(await ada.invite()).code)
    assert newcomer.user.presence == "online"


async def test_a_notify_server_that_dies_leaves_nobody_online(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    async with world.db.connection() as connection:
        await presence.touch(connection, [ada.id])
        await later(world, 2)
        await presence.settle(connection)
    assert await status_of(bob, ada) == "offline"
    assert await world.db.fetch_value("SELECT told FROM presence WHERE user_id = $1", ada.id) == "offline"


async def test_a_change_is_announced_once_and_ids_of_nobody_are_ignored(world: World) -> None:
    ada = await world.person("Ada")
    heard: list[str] = []

    def hear(*arguments: object) -> None:
        heard.append(str(arguments[-1]))

    async with world.db.connection() as listening, world.db.connection() as connection:
        await listening.add_listener("fechatter_ephemeral", hear)
        await presence.touch(connection, [ada.id, 2**40])
        await presence.touch(connection, [ada.id])
        await connection.execute("SELECT pg_notify('fechatter_ephemeral', 'end')")
        while "end" not in heard:
            await listening.execute("SELECT 1")
        await listening.remove_listener("fechatter_ephemeral", hear)
    mine = [text for text in heard if f'"to":"peers:{ada.id}"' in text]
    assert len(mine) == 1
    assert '"type":"presence.changed"' in mine[0]


async def test_strangers_and_a_guests_strangers_are_left_out(world: World) -> None:
    ada = await world.person("Ada")
    guest = await world.person("Guest", WorkspaceRole.GUEST)
    stranger = await world.api.sign_up("Stranger")
    assert await status_of(stranger, ada) is None
    assert await status_of(guest, ada) is None
    assert await status_of(ada, guest) is not None


async def test_hiding_looks_like_not_being_there(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    async with world.db.connection() as connection:
        await presence.touch(connection, [ada.id])
    await choose(ada, status="offline")
    assert await status_of(bob, ada) == "offline"


async def test_what_cannot_be_a_presence_is_refused(world: World) -> None:
    ada = await world.person("Ada")
    for bad in (
        {"status": "asleep"},
        {},
        {"status": "busy", "text": "x" * 129},
        {"status": "busy", "text": "\x00"},
        {"status": "busy", "until": "2001-01-01T00:00:00Z"},
        {"status": "busy", "until": "9999-12-31T23:59:59-23:59"},
        {"status": "busy", "until": "2030-01-01T00:00:00"},
        {"status": "busy", "since": 1},
    ):
        (await ada.ask("PUT", "/api/users/me/presence", bad)).problem(400, "invalid_request")
    for query in ("", "?user_id=0", "?user_id=x", f"?user_id={2**63}", "?" + "user_id=1&" * 501):
        (await ada.ask("GET", f"/api/presence{query}")).problem(400, "invalid_request")
