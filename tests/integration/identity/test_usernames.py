"""Usernames that several want at the same moment: each gets one of their own, and nobody is told something else."""

import asyncio
from typing import Any

from tests.clients.api import Answer, Person
from tests.support.locks import until_waiting
from tests.support.world import World

Json = dict[str, Any]
ROUNDS = 8


async def test_a_username_taken_at_this_moment_is_not_mistaken_for_a_taken_address(world: World) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO users (email, email_key, fullname, username, username_key)
            VALUES ('ada@w1.loaded.invalid', 'ada@w1.loaded.invalid', 'Ada', 'ada', 'ada')
            """
        )
        signing_up = asyncio.create_task(world.api.sign_up("Ada"))
        await until_waiting(world.db, 1)
    assert (await signing_up).user.username == "ada2"


async def test_people_of_one_name_who_sign_up_at_once_all_get_in(world: World) -> None:
    people = await asyncio.gather(*(world.api.sign_up("Ada") for _ in range(6)))
    assert {person.user.username for person in people} == {"ada", *(f"ada{n}" for n in range(2, 7))}


async def test_a_newcomer_by_invite_and_a_member_who_want_the_same_username_do_not_block_each_other(
    world: World,
) -> None:
    owner = await world.api.sign_up("Owner")
    code = (await owner.invite()).code
    for n in range(ROUNDS):
        _, answer = await asyncio.gather(world.api.sign_up(f"Name {n}", invite=code), _rename(owner, f"name.{n}"))
        if answer.status != 200:
            answer.problem(409, "conflict")


async def _rename(person: Person, username: str) -> Answer:
    return await person.ask("PATCH", "/api/users/me", {"username": username})
