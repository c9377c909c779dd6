"""Those who take part, and how they ask the API on bad days: any server, again until it answers.

Member          somebody with a session that may end and be followed by another
Member.insist   ask until there is an answer that is not BUSY
Member.door     a way into notify_server
"""

import asyncio
import random
from collections.abc import Collection, Sequence

from tests.clients.api import PASSWORD, Answer, Api, Person, Unanswered
from tests.clients.feed import Door
from tests.clients.shapes import SignedIn, Ticket
from tests.clients.tokens import claims_of

BACKOFF_S = 0.05
BUSY = {503, 408}
"""Nothing was done; try again. 408 comes from a server that stood still while the request was on its way."""


class Member:
    """One person.

    person    as they signed in last
    session   the id of that session
    tries     requests that were sent; `unanswered`: those of them without one that counts
    """

    def __init__(self, person: Person, apis: Sequence[Api], dice: random.Random) -> None:
        self.person = person
        self.tries = self.unanswered = 0
        self._apis = apis
        self._dice = dice

    @property
    def id(self) -> int:
        return self.person.id

    @property
    def session(self) -> int:
        return session_of(self.person.token)

    async def insist(self, method: str, path: str, json: object = None, *, accept: Collection[int]) -> Answer:
        """The answer, which must have one of these statuses."""
        while True:
            answer = await self._ask(method, path, json)
            if answer is not None and answer.status not in BUSY:
                assert answer.status in accept, f"{method} {path}: {answer.status} {answer.body[:300]!r}"
                return answer
            self.unanswered += 1
            await asyncio.sleep(BACKOFF_S)

    async def sign_in(self) -> None:
        """A new session."""
        form = {"email": self.person.user.email, "password": PASSWORD}
        answer = await self.insist("POST", "/api/auth/signin", form, accept={200})
        self.person = Person(self.person.api, answer.json(SignedIn))

    async def door(self, dice: random.Random, urls: Sequence[str]) -> Door:
        """Any server, either protocol, any of the ways to say who one is."""
        url, speaks_ws = dice.choice(urls), dice.random() < 0.5
        token, in_query = self.person.token, dice.random() < 0.3
        if dice.random() < 0.15 and (ticket := await self._ticket()) is not None:
            return Door(url, speaks_ws, "ticket", ticket, in_query)
        return Door(url, speaks_ws, "frame" if speaks_ws and dice.random() < 0.5 else "header", token, in_query)

    async def _ticket(self) -> str | None:
        answer = await self._ask("POST", "/api/notifications/ticket", None)
        if answer is None or answer.status != 201:
            return None
        return answer.json(Ticket, 201).ticket

    async def _ask(self, method: str, path: str, json: object) -> Answer | None:
        self.tries += 1
        try:
            return await self._dice.choice(self._apis).try_to_ask(method, path, token=self.person.token, json=json)
        except Unanswered:
            return None


def session_of(token: str) -> int:
    """Which session a token is of."""
    return claims_of(token)["sid"]
