"""Server-sent events: the response to GET /events, open until one side ends it."""

import asyncio
from collections.abc import Sequence

from fechatter.domain.errors import DomainError, Unauthenticated
from fechatter.notify.answers import problem, stream_head
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.frames import Frame
from fechatter.notify.request import Request
from fechatter.notify.session import Phase, Session
from fechatter.notify.stream import House, Stream


class SseStream(Stream):
    """An SSE response. Its head goes out with hello, so that bad credentials can still be answered 401."""

    __slots__ = ("_request",)

    def __init__(self, transport: asyncio.Transport, house: House, session: Session, request: Request) -> None:
        super().__init__(transport, house, session, request.address)
        self._request: Request | None = request
        self._mark(clear=self._clear)

    def greet(self, frames: Sequence[Frame], then: bytes = b"") -> None:
        data = b"".join([*[frame.sse for frame in frames], then])
        if self._request is not None:
            data = stream_head(self._request) + data
            self._request = None
            self._mark(clear=self._clear)
        self.send(data)

    def refuse(self) -> None:
        if self._request is None:
            super().refuse()
            return
        self.answer(Unauthenticated("The session has ended: sign in."))

    @property
    def opened(self) -> bool:
        return self._request is None

    def answer(self, error: DomainError) -> None:
        """Answer with a problem instead of a stream. Does nothing once the connection is gone."""
        if self._closing:
            return
        if self._request is not None:
            self.send(problem(self._request, error, close=True))
        self._request = None
        self.session.phase = Phase.ENDED
        self._close(CloseCode.UNAUTHENTICATED)

    def data_received(self, data: bytes) -> None:
        """Nothing that a client sends on an SSE connection means anything."""
