"""Chats with more members than a notification could name."""

import asyncpg

from tests.clients.api import Person
from tests.clients.shapes import Chat, Member
from tests.flow.conftest import Crowd

MEMBERS = 1_200


async def fill(crowd: Crowd, owner: Person, chat: Chat, count: int) -> None:
    """Put so many more people into the chat, all at once: signing them up would take minutes of hashing."""
    connection = await asyncpg.connect(crowd.stack.database_url)
    try:
        await connection.execute(
            """
            WITH extra AS (
                INSERT INTO users (email, email_key, fullname, username, username_key)
                SELECT x.name || '@crowd.invalid', x.name || '@crowd.invalid', x.name, x.name, x.name
                FROM (SELECT 'extra.' || $2::bigint || '.' || n AS name FROM generate_series(1, $3::int) n) x
                RETURNING id
            ), colleagues AS (
                INSERT INTO workspace_members (workspace_id, user_id, role) SELECT $1, id, 'member' FROM extra
            ), members AS (
                INSERT INTO chat_members (chat_id, user_id, workspace_id, role) SELECT $2, id, $1, 'member' FROM extra
            )
            UPDATE chats SET member_count = member_count + $3 WHERE id = $2
            """,
            owner.workspace.id,
            chat.id,
            count,
        )
    finally:
        await connection.close()


async def test_a_message_to_1200_members_is_posted_and_heard(crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    await fill(crowd, ada, chat, MEMBERS - 2)
    async with crowd.listen(bob) as stream:
        await stream.hello()
        await ada.post(chat, "all hands", idempotency_key="all")
        await stream.message("all hands")
        await eve.join(chat)
        added = await stream.until(lambda event: event.kind == "member.added", "member.added")
        assert added.place == (f"chat:{chat.id}", stream.positions[f"chat:{chat.id}"])
    assert {listed.id: listed.member_count for listed in await eve.chats()} == {chat.id: MEMBERS + 1}
    assert len(await eve.members(chat)) > 0


async def test_a_chat_is_made_with_a_thousand_people_at_once(crowd: Crowd) -> None:
    """The most that one request may name; each of them hears of it on their own stream."""
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    lobby = await ada.create_chat("PublicChannel")
    await fill(crowd, ada, lobby, 999)
    people = [member.user_id for member in await everyone(ada, lobby) if member.user_id != ada.id]
    form = {"name": "everyone", "type": "Group", "members": [bob.id, *people]}
    async with crowd.listen(bob) as stream:
        await stream.hello()
        made = (await ada.ask("POST", "/api/chats", form)).json(Chat, 201)
        assert made.member_count == 1_001
        assert (await stream.next()).payload(Chat).id == made.id


async def everyone(person: Person, chat: Chat) -> list[Member]:
    """All members of the chat, page by page."""
    found: list[Member] = []
    page: str | None = f"/api/chats/{chat.id}/members?limit=100"
    while page is not None:
        answer = await person.ask("GET", page)
        found += answer.list_of(Member)
        page = answer.next_page()
    return found
