"""Who may open a stream: credentials and limits.

Gate.caller_of   whom a request's token names
Gate.redeem      whom its ticket names
Gate.take        count a stream against the limits, or TooManyStreams
"""

import time
from collections import Counter
from typing import TypeVar

from fechatter.config import Limits
from fechatter.domain.errors import RateLimited, Unauthenticated
from fechatter.domain.people import Caller
from fechatter.domain.tokens import Tokens
from fechatter.notify.request import Request
from fechatter.siblings import Siblings
from fechatter.store.database import Database
from fechatter.store.people import tickets

_IN_URL = ("token", "access_token", "jwt", "authorization")
_RETRY_S = 5
Key = TypeVar("Key", int, str)


class Gate:
    """Checks credentials without the database where it can; that the session goes on is checked when streams come in.

    _by_user, _by_address   open streams, and those on their way in
    """

    def __init__(self, tokens: Tokens, database: Database, limits: Limits, siblings: Siblings) -> None:
        self._tokens = tokens
        self._database = database
        self._per_user = limits.streams_per_user
        self._per_address = limits.streams_per_address
        self._siblings = siblings
        self._by_user: Counter[int] = Counter()
        self._by_address: Counter[str] = Counter()

    def has_credentials(self, request: Request) -> bool:
        """Whether the request itself says who sends it, in whatever way."""
        return "authorization" in request.headers or any(name in request.query for name in (*_IN_URL, "ticket"))

    def caller_of(self, request: Request) -> Caller | None:
        """Whom the bearer token names; None if the request has a ticket instead. Raises Unauthenticated."""
        if any(name in request.query for name in _IN_URL):
            raise Unauthenticated("A token must not be in the address, where logs keep it: send a header or a ticket.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise Unauthenticated("Send Authorization: Bearer and a token.")
            return self.verify(token.strip())
        if request.query.get("ticket"):
            return None
        raise Unauthenticated("Send Authorization: Bearer and a token, or ?ticket= and a ticket.")

    def verify(self, token: str) -> Caller:
        """Whom `token` names. Raises Unauthenticated or TokenExpired."""
        return self._tokens.verify(token, time.time())

    async def redeem(self, ticket: str) -> Caller:
        """Whom `ticket` stands for; spends it. Raises Unauthenticated, or Unavailable without the database."""
        async with self._database.connection() as connection:
            caller = await tickets.redeem(connection, ticket)
        if caller is None:
            raise Unauthenticated("The ticket is spent, expired or unknown: ask for another.")
        return caller

    def take(self, user_id: int, address: str) -> None:
        """Count one stream more. Raises RateLimited if the user or the address has as many as it may."""
        self._by_user[user_id] += 1
        self._by_address[address] += 1
        self._siblings.count("user", user_id, 1)  # before it looks at the others': two at the same time both see it
        self._siblings.count("address", address, 1)
        try:
            self.check(user_id, address, more=0)
        except RateLimited:
            self.give_back(user_id, address)
            raise

    def check(self, user_id: int, address: str, more: int = 1) -> None:
        """Raise RateLimited if the user or the address, with so many `more`, has more streams than it may.

        On this machine: each of several machines allows as many.
        """
        if self._by_user[user_id] + self._siblings.elsewhere("user", user_id) + more > self._per_user:
            raise RateLimited(_RETRY_S, self._per_user)
        if self._by_address[address] + self._siblings.elsewhere("address", address) + more > self._per_address:
            raise RateLimited(_RETRY_S, self._per_address)

    def give_back(self, user_id: int, address: str) -> None:
        """One stream less."""
        self._siblings.count("user", user_id, -1)
        self._siblings.count("address", address, -1)
        _decrement(self._by_user, user_id)
        _decrement(self._by_address, address)


def _decrement(counter: Counter[Key], key: Key) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
