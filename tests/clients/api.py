"""A strict client of fechatter_server: whatever it gets is held against the contract before a test sees it.

Api          one connection pool; ask() checks what every answer must have
Answer       a checked answer: json(type), list_of(type), problem(status, code), next_page()
Person       someone who is signed in, with what they do: create_chat, join, post, history, invite, ticket …
Unanswered   the request broke before an answer came: it may or may not have been carried out
"""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Self, TypeVar, cast

import httpx2
import msgspec

from tests.clients.shapes import Chat, ChatType, Invite, Member, Message, Problem, SignedIn, Ticket, User, Workspace

T = TypeVar("T")

PASSWORD = "correct horse battery"
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_numbers = count(1)


class Unanswered(Exception):
    """The connection broke, was refused, or the answer did not come in time."""


class Answer:
    """What came back. `body` is the undecoded body."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content
        self.request = f"{response.request.method} {response.request.url.path}"
        assert self.headers.get("x-request-id"), f"{self.request}: no X-Request-Id"

    def json(self, type_: type[T], status: int | None = None) -> T:
        """The body as `type_`; the status must be 200, or the one given."""
        assert self.status == (status or 200), f"{self.request}: {self.status} {self.body[:500]!r}"
        assert self.headers["content-type"].startswith("application/json"), self.headers["content-type"]
        _check_times(msgspec.json.decode(self.body))
        return msgspec.json.decode(self.body, type=type_)

    def list_of(self, type_: type[T]) -> list[T]:
        """The body as a list."""
        return self.json(list[type_])

    def nothing(self, status: int = 204) -> None:
        assert (self.status, self.body) == (status, b""), f"{self.request}: {self.status} {self.body[:500]!r}"

    def problem(self, status: int, code: str) -> Problem:
        """The refusal, which must have this status and code and be a complete application/problem+json."""
        assert self.status == status, f"{self.request}: {self.status} instead of {status}: {self.body[:500]!r}"
        assert self.headers["content-type"] == "application/problem+json", self.headers["content-type"]
        problem = msgspec.json.decode(self.body, type=Problem)
        assert _CODE.fullmatch(problem.code), problem.code
        assert (problem.status, problem.code) == (status, code), f"{self.request}: {problem}"
        assert problem.request_id == self.headers["x-request-id"]
        assert problem.detail
        return problem

    def next_page(self) -> str | None:
        """The address in `Link: <…>; rel="next"`."""
        link = self.headers.get("link")
        if link is None:
            return None
        match = re.fullmatch(r'<([^>]+)>; rel="next"', link)
        assert match, f"{self.request}: Link: {link}"
        return match[1]


class Api:
    """fechatter_server at `url`, asked by one client; to be used with `async with`."""

    def __init__(self, url: str, timeout_s: float = 30) -> None:
        self.url = url
        self._client = httpx2.AsyncClient(base_url=url, timeout=timeout_s, limits=httpx2.Limits(max_connections=100))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. `content` goes out as it is, with the media type of JSON. Raises Unanswered; a 5xx fails."""
        answer = await self.try_to_ask(method, path, token=token, json=json, content=content, headers=headers)
        assert answer.status < 500, f"{answer.request}: {answer.status} {answer.body[:500]!r}"
        return answer

    async def try_to_ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same for times when parts of the service are being killed: 503 is an answer."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        body = msgspec.json.encode(json) if json is not None else content
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            return Answer(await self._client.request(method, path, content=body, headers=sent))
        except httpx2.TransportError as problem:
            raise Unanswered(f"{method} {path}: {problem!r}") from problem

    async def sign_up(self, fullname: str, *, invite: str | None = None, workspace: str | None = None) -> "Person":
        """Somebody new with a mail address of their own; with PASSWORD."""
        who = {"fullname": fullname, "email": new_email(), "password": PASSWORD}
        optional = {"invite": invite, "workspace": workspace}
        form = who | {key: value for key, value in optional.items() if value is not None}
        return Person(self, (await self.ask("POST", "/api/auth/signup", json=form)).json(SignedIn, 201))


class Person:
    """Someone with a session: who they are, their token, the workspace they came into."""

    def __init__(self, api: Api, signed_in: SignedIn) -> None:
        self.api = api
        self.token = signed_in.token
        self.refresh_token = signed_in.refresh_token
        self.user: User = signed_in.user
        self.workspace: Workspace = signed_in.workspace

    @property
    def id(self) -> int:
        return self.user.id

    async def ask(self, method: str, path: str, json: object = None, *, content: bytes | None = None) -> Answer:
        return await self.api.ask(method, path, token=self.token, json=json, content=content)

    async def invite(self, role: str = "member") -> Invite:
        answer = await self.ask("POST", f"/api/workspaces/{self.workspace.id}/invites", {"role": role})
        return answer.json(Invite, 201)

    async def create_chat(self, type_: ChatType, name: str | None = None, others: "Sequence[Person]" = ()) -> Chat:
        """A new chat with these others; its name is a fresh one unless given."""
        form = {"name": name or f"room {next(_numbers)}", "type": type_, "members": [other.id for other in others]}
        return (await self.ask("POST", "/api/chats", form)).json(Chat, 201)

    async def join(self, chat: Chat) -> Chat:
        return (await self.ask("POST", f"/api/chats/{chat.id}/join")).json(Chat)

    async def chats(self) -> list[Chat]:
        return (await self.ask("GET", "/api/chats")).list_of(Chat)

    async def members(self, chat: Chat) -> list[Member]:
        return (await self.ask("GET", f"/api/chats/{chat.id}/members")).list_of(Member)

    async def post(self, chat: Chat, content: str, **fields: Any) -> Message:
        """A new message. `fields`: idempotency_key, reply_to."""
        return (await self.say(chat, content, **fields)).json(Message, 201)

    async def say(self, chat: Chat, content: str, **fields: Any) -> Answer:
        return await self.ask("POST", f"/api/chats/{chat.id}/messages", {"content": content, **fields})

    async def history(self, chat: Chat, query: str = "") -> list[Message]:
        """One page; without a query the newest 50."""
        return (await self.ask("GET", f"/api/chats/{chat.id}/messages{query}")).list_of(Message)

    async def whole_history(self, chat: Chat, limit: int = 100) -> list[Message]:
        """All of it, oldest first, by following the links."""
        found: list[Message] = []
        page: str | None = f"/api/chats/{chat.id}/messages?limit={limit}"
        while page is not None:
            answer = await self.ask("GET", page)
            found += answer.list_of(Message)
            page = answer.next_page()
        return found[::-1]

    async def ticket(self) -> str:
        return (await self.ask("POST", "/api/notifications/ticket")).json(Ticket, 201).ticket


def new_email() -> str:
    """An address that nobody has: tests share a database."""
    return f"someone-{next(_numbers)}-{os.getpid()}@example.org"


def _check_times(value: object, key: str = "") -> None:
    """Every time on the wire is RFC 3339 in UTC with Z."""
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            _check_times(inner, name)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            _check_times(inner, key)
    elif key.endswith("_at") and isinstance(value, str):
        assert _UTC.fullmatch(value), f"{key}: {value}"
