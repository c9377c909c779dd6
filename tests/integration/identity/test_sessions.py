"""Sessions, passwords, profile: what ends is refused at once."""

from typing import Any

from fechatter.store.log.replay import ended
from tests.clients.api import PASSWORD, Person
from tests.clients.shapes import SignedIn
from tests.support.world import World

Json = dict[str, Any]
JsonList = list[Json]


async def again(world: World, person: Person) -> Person:
    """The same person on another device."""
    form = {"email": person.user.email, "password": PASSWORD}
    return Person(world.api, (await world.api.ask("POST", "/api/auth/signin", json=form)).json(SignedIn))


async def is_in(person: Person) -> bool:
    return (await person.ask("GET", "/api/users/me")).status == 200


async def test_one_sees_ones_sessions_and_ends_any_of_them(world: World) -> None:
    phone = await world.api.sign_up("Ada")
    laptop = await again(world, phone)
    listed = (await laptop.ask("GET", "/api/auth/sessions")).json(JsonList)
    assert [session["current"] for session in listed] == [True, False]
    (await laptop.ask("DELETE", f"/api/auth/sessions/{listed[1]['id']}")).nothing()
    assert (await is_in(phone), await is_in(laptop)) == (False, True)
    assert len((await laptop.ask("GET", "/api/auth/sessions")).json(JsonList)) == 1
    (await laptop.ask("DELETE", f"/api/auth/sessions/{listed[1]['id']}")).problem(404, "not_found")


async def test_nobody_ends_anothers_session(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    [session] = (await bob.ask("GET", "/api/auth/sessions")).json(JsonList)
    (await ada.ask("DELETE", f"/api/auth/sessions/{session['id']}")).problem(404, "not_found")
    assert await is_in(bob)


async def test_signing_out_everywhere_ends_all_sessions_and_their_streams(world: World) -> None:
    phone = await world.person("Ada")
    caller = world.as_(phone)
    laptop = await world.sign_in(phone.id)
    (await laptop.ask("POST", "/api/auth/signout-all")).nothing()
    assert (await is_in(phone), await is_in(laptop)) == (False, False)
    async with world.db.connection() as connection:
        assert await ended(connection, [caller]) == [caller]
    (await laptop.ask("POST", "/api/auth/signout-all")).problem(401, "unauthenticated")


async def test_a_refresh_token_signs_out_too(world: World) -> None:
    ada = await world.person("Ada")
    (await world.api.ask("POST", "/api/auth/signout", json={"refresh_token": ada.refresh_token})).nothing()
    assert not await is_in(ada)
    (await world.api.ask("POST", "/api/auth/signout", json={"refresh_token": "x"})).problem(401, "unauthenticated")
    (await world.api.ask("POST", "/api/auth/signout")).problem(401, "unauthenticated")


async def test_a_new_password_ends_the_other_sessions_and_the_old_one_is_good_no_more(world: World) -> None:
    phone = await world.api.sign_up("Ada")
    laptop = await again(world, phone)
    form = {"current_password": PASSWORD, "new_password": "battery staple horse"}
    (await laptop.ask("POST", "/api/auth/password", form)).nothing()
    assert (await is_in(phone), await is_in(laptop)) == (False, True)
    for password, status in ((PASSWORD, 401), (form["new_password"], 200)):
        answer = await world.api.ask("POST", "/api/auth/signin", json={"email": phone.user.email, "password": password})
        assert answer.status == status


async def test_a_password_is_changed_only_by_who_knows_it_and_to_one_that_keeps_the_limits(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    for current, new, status, code in (
        ("wrong password", "battery staple", 403, "forbidden"),
        (PASSWORD, "short", 400, "invalid_request"),
        (PASSWORD, "x" * 1025, 400, "invalid_request"),
        (PASSWORD, "nul\x00 character", 400, "invalid_request"),
    ):
        form = {"current_password": current, "new_password": new}
        (await ada.ask("POST", "/api/auth/password", form)).problem(status, code)
    assert await is_in(await again(world, ada))


async def test_no_secret_is_in_the_audit_log(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    await again(world, ada)
    await world.api.ask("POST", "/api/auth/signin", json={"email": ada.user.email, "password": "hunter2 hunter2"})
    rows = await world.db.fetch(
        "SELECT action, row_to_json(a)::text AS text FROM audit_log a WHERE subject_id = $1", ada.id
    )
    assert [row["action"] for row in rows] == ["signed_up", "signed_in", "sign_in_failed"]
    for row in rows:
        assert PASSWORD not in row["text"]
        assert "hunter2" not in row["text"]
        assert ada.user.email not in row["text"]


async def test_a_profile_is_changed_and_all_who_see_the_user_hear_of_it(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    form = {"fullname": " Ada Łovelace ", "username": "Countess", "locale": "en-GB", "timezone": "Europe/London"}
    changed = (await ada.ask("PATCH", "/api/users/me", form)).json(Json)
    assert changed["fullname"] == "Ada Łovelace"
    assert (changed["username"], changed["locale"], changed["timezone"]) == ("countess", "en-GB", "Europe/London")
    for stream in (f"workspace:{world.workspace_id}", f"user:{ada.id}"):
        event = (await world.events(stream))[-1]
        assert (event.type, event.payload and event.payload["username"]) == ("user.updated", "countess")
    assert (await bob.ask("GET", "/api/users?q=ŁOVE")).json(JsonList)[0]["id"] == ada.id


async def test_a_username_that_somebody_has_is_refused_whatever_its_case(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    (await bob.ask("PATCH", "/api/users/me", {"username": ada.user.username.upper()})).problem(409, "conflict")
    (await ada.ask("PATCH", "/api/users/me", {"username": ada.user.username.upper()})).json(Json)


async def test_what_a_profile_cannot_hold_is_refused_and_nothing_stored(world: World) -> None:
    ada = await world.person("Ada")
    for bad in (
        {"fullname": ""},
        {"fullname": None},
        {"fullname": "x" * 65},
        {"username": "a b"},
        {"username": "."},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"locale": "x"},
        {"avatar_file_id": 4711},
        {"avatar_file_id": 0},
        {"email": "new@example.org"},
        {"status": "Active"},
    ):
        (await ada.ask("PATCH", "/api/users/me", bad)).problem(400, "invalid_request")
    assert (await ada.ask("GET", "/api/users/me")).json(Json)["fullname"] == "Ada"


async def test_a_picture_is_an_image_that_one_has_uploaded(world: World) -> None:
    ada, bob = await world.people("Ada", "Bob")
    png, text = [
        await world.db.fetch_value(
            """
            INSERT INTO files (workspace_id, uploader_id, name, mime_type, size, sha256, object_key)
            VALUES ($1, $2, 'x', $3, 1, '', $3) RETURNING id
            """,
            world.workspace_id,
            ada.id,
            mime_type,
        )
        for mime_type in ("image/png", "image/svg+xml")
    ]
    (await ada.ask("PATCH", "/api/users/me", {"avatar_file_id": text})).problem(400, "invalid_request")
    (await bob.ask("PATCH", "/api/users/me", {"avatar_file_id": png})).problem(400, "invalid_request")
    changed = (await ada.ask("PATCH", "/api/users/me", {"avatar_file_id": png})).json(Json)
    assert changed["avatar"] == f"/api/files/{png}"
    assert (await ada.ask("PATCH", "/api/users/me", {"avatar_file_id": None})).json(Json)["avatar"] is None
