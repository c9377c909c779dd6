"""Random sequences of what three people do, against a model that a child could check by hand.

After each step the server's answer is the one that the model expects; now and then, and at the end, history, counts,
roles and lists of everybody are those of the model, and what everybody heard makes what they see.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fechatter.config import Settings
from tests.clients.api import Person
from tests.clients.shapes import Chat, ChatType, Member, Message
from tests.consistency.replica import told
from tests.support.world import World

T = TypeVar("T")

EXAMPLES = 18
STEPS = 40
PEOPLE = 3
ROOMS = 4
WHO = st.integers(0, PEOPLE - 1)
WHICH = st.integers(0, 7)
CHANNELS = ("PrivateChannel", "PublicChannel")


class Said:
    """A message of the model."""

    def __init__(self, message_id: int, sender: int, content: str) -> None:
        self.id = message_id
        self.sender = sender
        self.content = content
        self.deleted = False
        self.edited = False


class Room:
    """A chat of the model.

    roles   who is in it, by number of the person
    said    messages, the first one first
    read    how many of them each member has read
    """

    def __init__(self, chat: Chat, type_: ChatType, roles: dict[int, str]) -> None:
        self.chat = chat
        self.type = type_
        self.name = chat.name
        self.roles = roles
        self.said: list[Said] = []
        self.read = dict.fromkeys(roles, 0)
        self.hidden: dict[int, int] = {}

    @property
    def path(self) -> str:
        return f"/api/chats/{self.chat.id}"

    def sees(self, who: int) -> bool:
        return who in self.roles or self.type == "PublicChannel"

    def leads(self, who: int) -> bool:
        return self.roles.get(who) in ("owner", "admin")

    def lists(self, who: int) -> bool:
        return who in self.roles and self.hidden.get(who, -1) < len(self.said)

    def last_owner(self, who: int) -> bool:
        return self.roles.get(who) == "owner" and list(self.roles.values()).count("owner") == 1 and len(self.roles) > 1

    def enter(self, who: int, role: str) -> None:
        self.roles[who] = role
        self.read[who] = len(self.said)

    def go(self, who: int) -> None:
        del self.roles[who], self.read[who]


class Chatting(RuleBasedStateMachine):
    """The rules. `world` and `run` are set by the test: one server for all examples, a workspace for each."""

    world: World
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.rooms: list[Room] = []
        self.people: list[Person] = []
        self.listening: Any = None

    @initialize()
    def arrive(self) -> None:
        async def arrive() -> None:
            where = await self.world.new_workspace("Model")
            self.people = [await self.world.person(f"Person {n}", workspace_id=where) for n in range(PEOPLE)]
            self.listening = told(self.world, *self.people)
            await self.listening.__aenter__()

        self.run(arrive())

    @precondition(lambda self: len(self.rooms) < ROOMS)
    @rule(who=WHO, type_=st.sampled_from(["Group", *CHANNELS]), others=st.sets(WHO, min_size=3))
    def create(self, who: int, type_: ChatType, others: set[int]) -> None:
        others = others - {who}
        chat = self.run(self.people[who].create_chat(type_, others=[self.people[n] for n in sorted(others)]))
        self.rooms.append(Room(chat, type_, {who: "owner"} | dict.fromkeys(others, "member")))

    @rule(who=WHO, other=WHO)
    def ask_for_single(self, who: int, other: int) -> None:
        pair = {who, other}
        known = next((room for room in self.rooms if room.type == "Single" and room.roles.keys() == pair), None)
        chat = self.ask(who, "POST", "/api/chats", 200 if known else 201, Chat, type="Single", members=[self.id(other)])
        if known is None:
            self.rooms.append(Room(chat, "Single", dict.fromkeys(sorted(pair), "member") | {who: "owner"}))
        else:
            assert chat.id == known.chat.id
            known.hidden.pop(who, None)

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, mentioned=WHO)
    def post(self, who: int, which: int, mentioned: int) -> None:
        room = self.room(which)
        content = f"hello @{self.people[mentioned].user.username}"
        status = 404 if not room.sees(who) else 201 if who in room.roles else 403
        message = self.ask(who, "POST", f"{room.path}/messages", status, Message, content=content)
        if status == 201:
            assert message.seq == len(room.said) + 1
            room.said.append(Said(message.id, who, content))
            room.read[who] = len(room.said)

    @precondition(lambda self: any(room.said for room in self.rooms))
    @rule(who=WHO, which=WHICH, message=WHICH, mentioned=WHO)
    def edit(self, who: int, which: int, message: int, mentioned: int) -> None:
        room, said = self.said(which, message)
        content = f"edited @{self.people[mentioned].user.username}"
        status = 404 if not room.sees(who) else 403 if who not in room.roles or said.sender != who else 200
        status = 409 if status == 200 and said.deleted else status
        self.ask(who, "PUT", f"{room.path}/messages/{said.id}", status, Message, content=content)
        if status == 200:
            said.content = content

    @precondition(lambda self: any(room.said for room in self.rooms))
    @rule(who=WHO, which=WHICH, message=WHICH)
    def delete(self, who: int, which: int, message: int) -> None:
        room, said = self.said(which, message)
        may = said.sender == who or (room.leads(who) and room.type != "Single")
        status = 404 if not room.sees(who) else 204 if who in room.roles and may else 403
        self.ask(who, "DELETE", f"{room.path}/messages/{said.id}", status)
        if status == 204:
            said.content, said.deleted = "", True

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, seq=st.integers(0, 12))
    def read(self, who: int, which: int, seq: int) -> None:
        room = self.room(which)
        status = 404 if not room.sees(who) else 204 if who in room.roles else 403
        self.ask(who, "POST", f"{room.path}/read", status, seq=seq)
        if status == 204:
            room.read[who] = max(room.read[who], min(seq, len(room.said)))

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, others=st.sets(WHO, min_size=1))
    def add(self, who: int, which: int, others: set[int]) -> None:
        room = self.room(which)
        may = room.leads(who) and room.type != "Single"
        status = 404 if not room.sees(who) else 201 if may else 403
        self.ask(
            who, "POST", f"{room.path}/members", status, list[Member], user_ids=[self.id(n) for n in sorted(others)]
        )
        if status == 201:
            for other in others - room.roles.keys():
                room.enter(other, "member")

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, other=WHO)
    def remove(self, who: int, which: int, other: int) -> None:
        room = self.room(which)
        status = self.removal(room, who, other)
        self.ask(who, "DELETE", f"{room.path}/members/{self.id(other)}", status)
        if status == 204:
            self.gone(room, other)

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH)
    def leave(self, who: int, which: int) -> None:
        room = self.room(which)
        status = 404 if not room.sees(who) else 403 if room.type == "Single" else 409 if room.last_owner(who) else 204
        self.ask(who, "POST", f"{room.path}/leave", status)
        if status == 204 and who in room.roles:
            self.gone(room, who)

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH)
    def join(self, who: int, which: int) -> None:
        room = self.room(which)
        status = 200 if room.sees(who) else 404
        self.ask(who, "POST", f"{room.path}/join", status, Chat)
        if status == 200 and who not in room.roles:
            room.enter(who, "member" if room.roles else "owner")

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, other=WHO, role=st.sampled_from(["owner", "admin", "member"]))
    def set_role(self, who: int, which: int, other: int, role: str) -> None:
        room = self.room(which)
        status = self.change_of_role(room, who, other, role)
        self.ask(who, "PATCH", f"{room.path}/members/{self.id(other)}", status, Member, role=role)
        if status == 200 and room.roles[other] != role:
            if role == "owner":
                room.roles[who] = "admin"
            room.roles[other] = role

    @precondition(lambda self: self.rooms)
    @rule(who=WHO, which=WHICH, name=st.sampled_from(["one", "two"]))
    def rename(self, who: int, which: int, name: str) -> None:
        room = self.room(which)
        taken = any(room.type in CHANNELS and each.type in CHANNELS and each.name == name for each in self.rooms)
        may = room.leads(who) or (room.type == "Single" and who in room.roles)
        status = 404 if not room.sees(who) else 403 if not may else 409 if taken and room.name != name else 200
        self.ask(who, "PUT", room.path, status, Chat, name=name)
        if status == 200:
            room.name = name

    @precondition(lambda self: len(self.rooms) > 2)
    @rule(who=WHO, which=WHICH)
    def delete_or_hide(self, who: int, which: int) -> None:
        room = self.room(which)
        may = room.roles.get(who) == "owner" or room.type == "Single"
        status = 404 if not room.sees(who) else 204 if may else 403
        self.ask(who, "DELETE", room.path, status)
        if status == 204 and room.type == "Single":
            room.hidden[who] = len(room.said)
        elif status == 204:
            self.rooms.remove(room)

    @invariant()
    def lists_and_counts_agree(self) -> None:
        """Of one person after each step; of everybody at the end."""
        if self.people:
            self.run(self.check_list((len(self.rooms) + sum(len(room.said) for room in self.rooms)) % PEOPLE))

    def teardown(self) -> None:
        async def check_all() -> None:
            for who in range(PEOPLE):
                await self.check_list(who)
            for room in self.rooms:
                await self.check_room(room)
            await self.listening.__aexit__(None, None, None)

        if self.people:
            self.run(check_all())

    async def check_list(self, who: int) -> None:
        found = {chat.id: chat for chat in await self.people[who].chats()}
        listed = [room for room in self.rooms if room.lists(who)]
        assert found.keys() == {room.chat.id for room in listed}
        mention = f"@{self.people[who].user.username}"
        for room in listed:
            chat, unread = found[room.chat.id], room.said[room.read[who] :]
            assert (chat.name, chat.member_count) == (room.name, len(room.roles))
            assert (chat.last_seq, chat.last_read_seq) == (len(room.said), room.read[who])
            assert chat.unread_count == len(unread)
            counted = [said for said in unread if said.content.endswith(mention)]
            assert chat.mention_count == len(counted)

    async def check_room(self, room: Room) -> None:
        if not room.roles:
            return
        someone = self.people[next(iter(room.roles))]
        roles = {member.user_id: member.role for member in await someone.members(room.chat)}
        assert roles == {self.id(who): role for who, role in room.roles.items()}
        assert room.type == "Single" or list(roles.values()).count("owner") == 1
        history = await someone.whole_history(room.chat)
        assert [message.content for message in history] == [said.content for said in room.said]
        assert [message.seq for message in history] == list(range(1, len(history) + 1))

    def removal(self, room: Room, who: int, other: int) -> int:
        if not room.sees(who) or other not in room.roles:
            return 404
        if room.type == "Single" or who not in room.roles:
            return 403
        if who == other:
            return 409 if room.last_owner(who) else 204
        may = room.roles[who] == "owner" or (room.roles[who] == "admin" and room.roles[other] == "member")
        return 204 if may else 403

    def change_of_role(self, room: Room, who: int, other: int, role: str) -> int:
        if not room.sees(who) or other not in room.roles:
            return 404
        if room.type == "Single" or who not in room.roles:
            return 403
        steps_down = who == other and role in (room.roles[who], "member")
        if room.roles[who] != "owner" and not steps_down:
            return 403
        return 409 if room.roles[other] == "owner" and role != "owner" else 200

    def gone(self, room: Room, who: int) -> None:
        room.go(who)
        if not room.roles and room.type != "PublicChannel":
            self.rooms.remove(room)

    def room(self, which: int) -> Room:
        return self.rooms[which % len(self.rooms)]

    def said(self, which: int, message: int) -> tuple[Room, Said]:
        rooms = [room for room in self.rooms if room.said]
        room = rooms[which % len(rooms)]
        return room, room.said[message % len(room.said)]

    def id(self, who: int) -> int:
        return self.people[who].id

    def ask(self, who: int, method: str, path: str, status: int, shape: type[T] | None = None, **body: object) -> T:
        answer = self.run(self.people[who].ask(method, path, body or None))
        assert answer.status == status, f"{method} {path} {body}: {answer.status} {answer.body!r}, not {status}"
        return answer.json(shape, status) if shape and status < 300 else answer


def test_random_sequences_agree_with_a_simple_model(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        opened = World.open(settings)
        Chatting.world = runner.run(opened.__aenter__())
        Chatting.run = staticmethod(runner.run)
        try:
            run_state_machine_as_test(
                Chatting,
                settings=hypothesis_settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
                    database=None,
                ),
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))
