"""Coming in: what is said and done is the same for an unknown address and a wrong password; races have one winner."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from fechatter.actions.identity.passwords import Passwords
from fechatter.store.people import users
from tests.clients.api import PASSWORD, Answer, Person, new_email
from tests.clients.shapes import SignedIn
from tests.support.world import World, statements

Json = dict[str, Any]


async def sign_in(world: World, email: str, password: str = PASSWORD) -> Answer:
    return await world.api.ask("POST", "/api/auth/signin", json={"email": email, "password": password})


async def refresh(world: World, token: str) -> Answer:
    return await world.api.ask("POST", "/api/auth/refresh", json={"refresh_token": token})


async def hashes_during(work: Callable[[], Awaitable[Any]]) -> int:
    """How many times argon2 ran."""
    count = 0
    verify, hash_ = PasswordHasher.verify, PasswordHasher.hash

    def counting(plain: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return plain(*args, **kwargs)

        return counted

    with (
        patch.object(PasswordHasher, "verify", counting(verify)),
        patch.object(PasswordHasher, "hash", counting(hash_)),
    ):
        await work()
    return count


async def test_an_unknown_address_a_wrong_password_and_no_password_get_the_same_answer_for_the_same_work(
    world: World,
) -> None:
    ada = await world.api.sign_up("Ada")
    loaded = await world.person("Loaded")
    answers: list[tuple[str, str]] = []
    work: list[tuple[int, int]] = []
    for email in (ada.user.email, new_email(), loaded.user.email):
        with statements(6) as run:  # two limits, look up; BEGIN, audit, COMMIT
            hashes = await hashes_during(lambda email=email: _note(answers, world, email))
        work.append((hashes, len(run)))
    assert work == [(1, 6)] * 3
    assert len(set(answers)) == 1


async def _note(answers: list[tuple[str, str]], world: World, email: str) -> None:
    problem = (await sign_in(world, email, "wrong password")).problem(401, "unauthenticated")
    answers.append((problem.title, problem.detail))


async def test_what_is_stored_instead_of_a_hash_takes_a_verification_too(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    await world.db.fetch("UPDATE users SET password_hash = 'not a hash' WHERE id = $1", ada.id)
    assert await hashes_during(lambda: sign_in(world, ada.user.email)) == 2  # one ends at once, the other does not


async def test_a_hash_of_another_cost_is_made_anew_at_the_next_sign_in(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await world.db.fetch("UPDATE users SET password_hash = $2 WHERE id = $1", ada.id, cheap)
    (await sign_in(world, ada.user.email)).json(SignedIn)
    async with world.db.connection() as connection:
        stored = await users.password_hash_of(connection, ada.id)
    assert stored is not None
    assert stored != cheap
    passwords = Passwords()
    assert not passwords.is_outdated(stored)
    passwords.close()
    (await sign_in(world, ada.user.email)).json(SignedIn)


async def test_each_guess_costs_64_mib_three_times_over(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    async with world.db.connection() as connection:
        stored = await users.password_hash_of(connection, ada.id)
    assert stored is not None
    cost = extract_parameters(stored)
    assert (cost.type, cost.time_cost, cost.memory_cost) == (Type.ID, 3, 64 * 1024)


async def test_who_is_not_there_is_verified_at_the_cost_of_who_is(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords()
    verified: list[str] = []
    verify = PasswordHasher.verify

    def note(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        verified.append(hashed)
        return verify(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", note)
    stored = await passwords.hash(PASSWORD)
    assert await passwords.verify(PASSWORD, stored)
    assert not await passwords.verify(PASSWORD, None)
    assert [extract_parameters(one) for one in verified] == [extract_parameters(stored)] * 2
    passwords.close()


async def test_suspension_is_told_only_to_who_knows_the_password(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    await world.suspend(ada)
    (await sign_in(world, ada.user.email, "wrong password")).problem(401, "unauthenticated")
    (await sign_in(world, ada.user.email)).problem(403, "suspended")


async def test_who_is_suspended_in_every_workspace_cannot_sign_in_and_in_one_of_two_can(world: World) -> None:
    owner = await world.api.sign_up("Owner")
    guest = await world.api.sign_up("Both", invite=(await owner.invite()).code)
    path = f"/api/workspaces/{owner.workspace.id}/members/{guest.id}"
    (await owner.ask("PATCH", path, {"status": "Suspended"})).json(Json)
    (await sign_in(world, guest.user.email)).problem(403, "suspended")
    (await guest.ask("GET", "/api/users/me")).problem(401, "unauthenticated")
    (await guest.ask("POST", "/api/notifications/ticket")).problem(401, "unauthenticated")
    (await guest.ask("POST", "/api/workspaces", {"name": "A way out"})).problem(401, "unauthenticated")
    (await refresh(world, guest.refresh_token)).problem(401, "unauthenticated")
    await world.db.fetch(
        "INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, 'member')",
        world.workspace_id,
        guest.id,
    )
    assert (await sign_in(world, guest.user.email)).json(SignedIn).workspace.id == world.workspace_id


async def test_a_session_goes_on_until_the_last_workspace_that_lets_its_user_in_does_no_more(world: World) -> None:
    for act in ("suspended", "removed", "leaves", "deleted"):
        owner, other = await world.api.sign_up("Owner"), await world.api.sign_up("Other")
        both = await world.api.sign_up("Both", invite=(await owner.invite()).code)
        (await both.ask("POST", f"/api/invites/{(await other.invite()).code}/accept")).json(Json)
        here, there = (f"/api/workspaces/{each.workspace.id}/members/{both.id}" for each in (owner, other))
        (await owner.ask("PATCH", here, {"status": "Suspended"})).json(Json)
        (await both.ask("GET", "/api/users/me")).json(Json)
        if act == "suspended":
            (await other.ask("PATCH", there, {"status": "Suspended"})).json(Json)
        else:
            path = f"/api/workspaces/{other.workspace.id}" if act == "deleted" else there
            (await (both if act == "leaves" else other).ask("DELETE", path)).nothing()
        (await both.ask("GET", "/api/users/me")).problem(401, "unauthenticated")
        (await other.ask("GET", "/api/users/me")).json(Json)


async def test_two_suspensions_at_once_leave_no_session(world: World) -> None:
    owners = [await world.api.sign_up("Owner") for _ in range(4)]
    ada = await world.api.sign_up("Ada", invite=(await owners[0].invite()).code)
    for owner in owners[1:]:
        (await ada.ask("POST", f"/api/invites/{(await owner.invite()).code}/accept")).json(Json)
    paths = [f"/api/workspaces/{owner.workspace.id}/members/{ada.id}" for owner in owners]
    pairs = zip(owners, paths, strict=True)
    await asyncio.gather(*(owner.ask("PATCH", path, {"status": "Suspended"}) for owner, path in pairs))
    (await ada.ask("GET", "/api/users/me")).problem(401, "unauthenticated")


async def test_a_session_that_was_left_over_is_not_refreshed_for_who_cannot_sign_in(world: World) -> None:
    ada = await world.person("Ada")
    await world.db.fetch("UPDATE workspace_members SET status = 'Suspended' WHERE user_id = $1", ada.id)
    (await refresh(world, ada.refresh_token)).problem(401, "unauthenticated")


async def test_the_workspace_of_a_sign_in_is_the_one_used_last(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    second = (await ada.ask("POST", "/api/workspaces", {"name": "Second"})).json(Json, 201)
    assert (await sign_in(world, ada.user.email)).json(SignedIn).workspace.id == second["id"]
    await ada.ask("GET", f"/api/chats?workspace_id={ada.workspace.id}")
    assert (await sign_in(world, ada.user.email)).json(SignedIn).workspace.id == ada.workspace.id


async def test_two_who_refresh_with_the_same_token_at_once_both_go_on(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    first, second = await asyncio.gather(refresh(world, ada.refresh_token), refresh(world, ada.refresh_token))
    for answer in (first, second):
        token = answer.json(SignedIn).token
        (await world.api.ask("GET", "/api/users/me", token=token)).json(Json)


async def test_an_older_refresh_token_ends_the_whole_session(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    second = (await refresh(world, ada.refresh_token)).json(SignedIn)
    third = (await refresh(world, second.refresh_token)).json(SignedIn)
    (await refresh(world, ada.refresh_token)).problem(401, "unauthenticated")
    (await refresh(world, third.refresh_token)).problem(401, "unauthenticated")
    (await world.api.ask("GET", "/api/users/me", token=third.token)).problem(401, "unauthenticated")
    acts = await world.db.fetch("SELECT action FROM audit_log WHERE subject_id = $1", ada.id)
    assert "refresh_reused" in [row["action"] for row in acts]


async def test_the_last_spent_token_is_good_for_half_a_minute_only(world: World) -> None:
    ada = await world.api.sign_up("Ada")
    (await refresh(world, ada.refresh_token)).json(SignedIn)
    (await refresh(world, ada.refresh_token)).json(SignedIn)
    await world.db.fetch("UPDATE refresh_tokens SET spent_at = spent_at - interval '31 seconds'")
    (await refresh(world, ada.refresh_token)).problem(401, "unauthenticated")


async def test_two_who_use_the_last_place_of_an_invite_at_once_do_not_both_get_in(world: World) -> None:
    owner = await world.api.sign_up("Owner")
    path = f"/api/workspaces/{owner.workspace.id}/invites"
    code = (await owner.ask("POST", path, {"max_uses": 1})).json(Json, 201)["code"]
    ada, bob = await world.people("Ada", "Bob")

    async def accept(person: Person) -> int:
        return (await person.ask("POST", f"/api/invites/{code}/accept")).status

    assert sorted(await asyncio.gather(accept(ada), accept(bob))) == [200, 410]
