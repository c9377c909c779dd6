"""Takes access away and gives it back while all goes on, and sees to it that it is felt.

Doorkeeper.work   until cancelled: removals, suspensions, sign-outs, of whoever may be treated so
Guest             one who is treated so, and their readers
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.flow.checker.access import LEAVE_S, Access
from tests.flow.checker.inspector import Inspector
from tests.flow.checker.people import Member
from tests.flow.checker.reader import Reader
from tests.flow.checker.violation import Violation

PATIENCE_S = 90.0
POLL_S = 0.01


class Guest:
    """`has_home`: another workspace lets them in too, so a suspension ends no session."""

    def __init__(self, member: Member, readers: Sequence[Reader], has_home: bool) -> None:
        self.member, self.readers, self.has_home = member, readers, has_home
        self.busy = False


class Doorkeeper:
    """Acts as the owner of the workspace and of its chats.

    done      what was done, counted
    late      how often it was heard only after a reconnection, though a stream had been open for 2 s
    waits     how long it took until somebody who gained access heard it, in seconds
    """

    def __init__(
        self, owner: Member, workspace_id: int, chats: Sequence[int], access: Access, inspector: Inspector
    ) -> None:
        self.done: Counter[str] = Counter()
        self.late = 0
        self.waits: list[float] = []
        self._owner, self._workspace_id, self._chats = owner, workspace_id, chats
        self._access, self._inspector = access, inspector

    async def work(self, guests: Sequence[Guest], dice: random.Random, pause_s: float, stop: asyncio.Event) -> None:
        """One after the other until `stop`; whoever was sent away is back when it returns."""
        deeds: list[Callable[[Guest, random.Random], Awaitable[None]]] = [
            self.remove_and_add,
            self.remove_and_add,
            self.suspend,
            self.sign_out,
        ]
        while guests and not stop.is_set():
            guest = dice.choice(guests)
            if not guest.busy:
                guest.busy = True
                await dice.choice(deeds)(guest, dice)
                guest.busy = False
            await asyncio.sleep(dice.uniform(0, pause_s))

    async def remove_and_add(self, guest: Guest, dice: random.Random) -> None:
        chat, user = dice.choice(self._chats), guest.member.id
        path = f"/api/chats/{chat}/members"
        await self._owner.insist("DELETE", f"{path}/{user}", accept={204, 404})
        await asyncio.sleep(dice.choice((0, 0.1, 1.0)))
        await self._owner.insist("POST", path, {"user_ids": [user]}, accept={201, 409})
        self.done["removed and added"] += 1
        if dice.random() < 0.7:
            await self._is_heard(guest, chat)

    async def suspend(self, guest: Guest, dice: random.Random) -> None:
        user = guest.member.id
        path = f"/api/workspaces/{self._workspace_id}/members/{user}"
        if not guest.has_home:
            self._access.ends(guest.member.session)
        self._access.shuts_out(user)
        await self._owner.insist("PATCH", path, {"status": "Suspended"}, accept={200})
        self._access.is_out(user)
        if not guest.has_home:
            self._access.ended(guest.member.session)
        await asyncio.sleep(dice.choice((0, 0.3, 3.5)))
        self._access.readmits(user)
        await self._owner.insist("PATCH", path, {"status": "Active"}, accept={200})
        if not guest.has_home:
            await guest.member.sign_in()
        self.done["suspended and readmitted"] += 1
        await self._is_heard(guest, dice.choice(self._chats))

    async def sign_out(self, guest: Guest, dice: random.Random) -> None:
        session = guest.member.session
        self._access.ends(session)
        await guest.member.insist("POST", "/api/auth/signout", accept={204, 401})
        self._access.ended(session)
        await asyncio.sleep(dice.choice((0, 0.5, 3.0)))
        await guest.member.sign_in()
        self.done["signed out and in"] += 1

    async def _is_heard(self, guest: Guest, chat: int) -> None:
        """Who gained access hears it. On an open stream that takes 2 s at most; readers may just be away, though."""
        joined, began = await self._inspector.joined_pos(chat, guest.member.id), time.monotonic()
        for reader in guest.readers:
            at_once, connections = reader.open, reader.happened["connections"]
            missed = False
            while reader.place.last.get(f"chat:{chat}", 0) < joined:
                waited_s = time.monotonic() - began
                if waited_s > PATIENCE_S:
                    diary = "\n  ".join(reader.diary)
                    raise Violation(f"{reader.name} is in chat {chat} from {joined} on and does not hear it\n  {diary}")
                same = at_once and reader.happened["connections"] == connections and not reader.stalled
                missed = missed or (same and waited_s > LEAVE_S)
                await asyncio.sleep(POLL_S)
            if at_once:
                self.waits.append(time.monotonic() - began)
            self.late += missed and reader.happened["connections"] != connections
