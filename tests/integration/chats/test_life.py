"""Chats through their life: changed, left, deleted, hidden."""

from tests.support.world import World


async def test_admins_rename_and_all_hear_of_it(world: World) -> None:
    ada, bob, cem = await world.people("Ada", "Bob", "Cem")
    chat = await ada.create_chat("Group", "old", [bob, cem])
    answer = await ada.ask("PUT", f"/api/chats/{chat.id}", {"name": "new", "description": "why"})
    assert answer.status == 200
    assert [event.type for event in await world.events(f"chat:{chat.id}")] == ["chat.updated"]
