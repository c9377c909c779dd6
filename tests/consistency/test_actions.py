"""For every action: the state before and its events are the fresh state. Each person hears all that concerns them.

ACTIONS   what is done, by name of the action's module; an action of chats and messages without a line here fails
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

import fechatter.actions
from fechatter.actions.chats.leave_chat import leave_all_chats
from tests.clients.api import Answer, Person
from tests.clients.shapes import Chat, Message
from tests.consistency.replica import told
from tests.support.world import World


class Scene(msgspec.Struct, frozen=True):
    """Ada owns `town`, Bob is its admin, Cem a member, Dee not in it. `pair` is the Single of Ada and Bob."""

    world: World
    ada: Person
    bob: Person
    cem: Person
    dee: Person
    town: Chat
    pair: Chat
    first: Message
    last: Message

    @property
    def path(self) -> str:
        return f"/api/chats/{self.town.id}"


@pytest.fixture
async def scene(world: World) -> Scene:
    ada, bob, cem, dee = await world.people("Ada", "Bob", "Cem", "Dee")
    town = await ada.create_chat("PublicChannel", "town", [bob, cem])
    pair = await ada.create_chat("Single", others=[bob])
    await ada.ask("PATCH", f"/api/chats/{town.id}/members/{bob.id}", {"role": "admin"})
    first = await cem.post(town, "hello @ada and @bob")
    await ada.post(town, "hi")
    last = await cem.post(town, "again @bob")
    await bob.post(pair, "psst")
    return Scene(world, ada, bob, cem, dee, town, pair, first, last)


Action = Callable[[Scene], Awaitable[object]]
ACTIONS: list[tuple[str, Action]] = [
    ("create_chat", lambda s: s.ada.create_chat("Group", "new", [s.bob, s.dee])),
    ("create_chat", lambda s: s.dee.create_chat("PublicChannel", "own")),
    ("create_chat", lambda s: s.dee.create_chat("Single", others=[s.ada])),
    ("create_chat", lambda s: _hide_and_show(s)),
    ("join_chat", lambda s: s.dee.join(s.town)),
    ("join_chat", lambda s: s.cem.join(s.town)),
    ("leave_chat", lambda s: s.cem.ask("POST", f"{s.path}/leave")),
    ("leave_chat", lambda s: s.bob.ask("POST", f"{s.path}/leave")),
    ("leave_chat", lambda s: _leave_all(s)),
    ("add_members", lambda s: s.bob.ask("POST", f"{s.path}/members", {"user_ids": [s.dee.id, s.cem.id]})),
    ("add_members", lambda s: _add_many(s)),
    ("add_members", lambda s: _remove_and_add(s)),
    ("remove_member", lambda s: s.bob.ask("DELETE", f"{s.path}/members/{s.cem.id}")),
    ("remove_member", lambda s: s.ada.ask("DELETE", f"{s.path}/members/{s.bob.id}")),
    ("set_chat_role", lambda s: s.ada.ask("PATCH", f"{s.path}/members/{s.cem.id}", {"role": "admin"})),
    ("set_chat_role", lambda s: s.ada.ask("PATCH", f"{s.path}/members/{s.cem.id}", {"role": "owner"})),
    ("set_chat_role", lambda s: s.bob.ask("PATCH", f"{s.path}/members/{s.bob.id}", {"role": "member"})),
    ("update_chat", lambda s: s.bob.ask("PUT", s.path, {"name": "city", "description": "bigger"})),
    ("update_chat", lambda s: s.bob.ask("PUT", f"/api/chats/{s.pair.id}", {"name": "us"})),
    ("delete_chat", lambda s: s.ada.ask("DELETE", s.path)),
    ("delete_chat", lambda s: s.ada.ask("DELETE", f"/api/chats/{s.pair.id}")),
    ("delete_chat", lambda s: _hide_and_hear(s)),
    ("post_message", lambda s: s.ada.post(s.town, "@bob @cem @dee @ada")),
    ("post_message", lambda s: s.bob.post(s.pair, "@ada")),
    ("edit_message", lambda s: _edit(s, s.first, "hello @cem and @bob")),
    ("edit_message", lambda s: _edit(s, s.last, "again @ada @cem")),
    ("delete_message", lambda s: s.cem.ask("DELETE", f"{s.path}/messages/{s.last.id}")),
    ("delete_message", lambda s: s.ada.ask("DELETE", f"{s.path}/messages/{s.first.id}")),
    ("mark_read", lambda s: s.bob.ask("POST", f"{s.path}/read", {"seq": 2})),
    ("mark_read", lambda s: s.ada.ask("POST", f"{s.path}/read", {"seq": 99})),
]


@pytest.mark.parametrize("action", [pytest.param(do, id=f"{name}-{n}") for n, (name, do) in enumerate(ACTIONS)])
async def test_what_everybody_hears_makes_what_they_knew_what_is(scene: Scene, action: Action) -> None:
    async with told(scene.world, scene.ada, scene.bob, scene.cem, scene.dee):
        done = await action(scene)
        if isinstance(done, Answer):
            assert done.status < 300, done.body


def test_every_action_of_chats_and_messages_is_held_to_it() -> None:
    folder = Path(fechatter.actions.__file__).parent
    mine = {path.stem for noun in ("chats", "messages") for path in (folder / noun).glob("[!_]*.py")}
    assert mine - {"refusal", "tell_typing", "indexing"} == {name for name, _ in ACTIONS}


async def _hide_and_show(s: Scene) -> None:
    (await s.ada.ask("DELETE", f"/api/chats/{s.pair.id}")).nothing()
    (await s.ada.ask("POST", "/api/chats", {"type": "Single", "members": [s.bob.id]})).json(Chat)


async def _hide_and_hear(s: Scene) -> None:
    (await s.ada.ask("DELETE", f"/api/chats/{s.pair.id}")).nothing()
    await s.bob.post(s.pair, "still there, @ada?")


async def _leave_all(s: Scene) -> None:
    async with s.world.db.transaction() as tx:
        await leave_all_chats(tx, s.world.workspace_id, s.ada.id)


async def _add_many(s: Scene) -> None:
    crowd = await s.world.crowd(20)
    user_ids = [*crowd[:10], s.dee.id, *crowd[10:]]
    assert (await s.ada.ask("POST", f"{s.path}/members", {"user_ids": user_ids})).status == 201


async def _remove_and_add(s: Scene) -> None:
    (await s.ada.ask("DELETE", f"{s.path}/members/{s.cem.id}")).nothing()
    await s.ada.post(s.town, "he is away, @bob")
    assert (await s.ada.ask("POST", f"{s.path}/members", {"user_ids": [s.cem.id]})).status == 201
    await s.bob.post(s.town, "welcome back @cem")


async def _edit(s: Scene, message: Message, content: str) -> Message:
    return (await s.cem.ask("PUT", f"{s.path}/messages/{message.id}", {"content": content})).json(Message)
