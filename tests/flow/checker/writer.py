"""Posts, edits and deletes, each until it is answered; keeps the ledger.

Writer.write   one message after the other
"""

import asyncio
import random
import time

from tests.clients.shapes import Message
from tests.flow.checker.ledger import Ledger, text_of
from tests.flow.checker.people import Member

AGAIN = 0.03
"""How often what was answered is sent once more, as a client does that lost the answer."""
EDITS, DELETES = 0.04, 0.01


class Writer:
    """One person who writes in one chat."""

    def __init__(self, name: str, member: Member, chat_id: int, ledger: Ledger, dice: random.Random) -> None:
        self.member = member
        self.series = ledger.series(name, chat_id, member.id)
        self._path = f"/api/chats/{chat_id}/messages"
        self._ledger = ledger
        self._dice = dice

    async def write(self, count: int, pace_s: float, over: asyncio.Event) -> None:
        """`count` messages at least, and more until it is over; `pace_s`: at least so long from one to the next."""
        while len(self.series.ids) < count or not over.is_set():
            began = time.monotonic()
            await self._post(began)
            chance = self._dice.random()
            if chance < EDITS:
                await self._edit(self._any())
            elif chance < EDITS + DELETES:
                await self._delete(self._any())
            await asyncio.sleep(began + pace_s - time.monotonic())

    async def _post(self, began: float) -> None:
        number = self.series.begin(began)
        await self._send(number)
        self._ledger.acknowledged += 1
        if self._dice.random() < AGAIN:
            await self._send(number)

    async def _send(self, number: int) -> None:
        key = f"{self.series.name}-{number}"
        draft = {"content": text_of(key, 0), "idempotency_key": key}
        answer = await self.member.insist("POST", self._path, draft, accept={200, 201})
        message = answer.json(Message, answer.status)
        assert message.idempotency_key == key, message
        self.series.acknowledge(number, message.id, message.seq)

    def _any(self) -> int:
        """A message of a while ago that is not deleted; else the last one."""
        last = len(self.series.ids) - 1
        number = max(0, last - self._dice.randrange(40))
        return last if self._is_deleted(number) else number

    def _is_deleted(self, number: int) -> bool:
        change = self.series.changes.get(number)
        return change is not None and change.deletion_tried

    async def _edit(self, number: int) -> None:
        if self._is_deleted(number):
            return
        change = self.series.change(number)
        change.tried += 1
        content = text_of(f"{self.series.name}-{number}", change.tried)
        path = f"{self._path}/{self.series.ids[number]}"
        answer = await self.member.insist("PUT", path, {"content": content}, accept={200})
        assert answer.json(Message).content == content
        change.answered = change.tried

    async def _delete(self, number: int) -> None:
        if self._is_deleted(number):
            return
        change = self.series.change(number)
        change.deletion_tried = True
        # A deletion whose answer was lost has happened: the second try may say so.
        await self.member.insist("DELETE", f"{self._path}/{self.series.ids[number]}", accept={204, 404})
        change.deletion_answered = True
