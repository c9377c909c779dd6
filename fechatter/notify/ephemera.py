"""News that nobody keeps: typing, presence, receipts; to whoever listens now and reads fast enough.

Ephemera.hear   one piece of news from the bus
Ephemera.run    find out whom presence concerns, for many people in one query, until cancelled
"""

import asyncio

import asyncpg
import msgspec

from fechatter import logs
from fechatter.domain.errors import Unavailable
from fechatter.domain.events import stream_of_chat, stream_of_user
from fechatter.notify import frames
from fechatter.notify.hub import Hub
from fechatter.store.database import Database
from fechatter.store.log import replay

GATHER_S = 0.2
"""Presence of people without a connection here waits so long for that of others, to share a query."""
MOST_WAITING = 10_000
CROWD = 200
"""A chat that more connections than this hear is not told who comes and goes: N people who come at once would cost
N x N frames, behind which messages wait. Its members ask for the presence of those whom they look at."""

log = logs.get(__name__)


class _News(msgspec.Struct, frozen=True):
    """domain.events.Ephemeral, its payload left as it came."""

    type: str
    to: str
    payload: msgspec.Raw
    except_user: int | None = None


_decode = msgspec.json.Decoder(_News).decode


class Ephemera:
    """Sends news to the connections it concerns.

    _waiting   the latest news of people whose chats are not known here, by user
    """

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database
        self._waiting: dict[int, _News] = {}
        self._some_wait = asyncio.Event()

    def hear(self, text: str) -> None:
        """Send the news on, or gather it with others of its kind. What is not news is logged and dropped."""
        try:
            news = _decode(text)
            kind, id_ = news.to.split(":")
            person = int(id_)
        except (msgspec.MsgspecError, ValueError):
            log.warning("ephemera.not_understood")
            return
        if kind != "peers":
            self._send(news, [news.to], news.to)
        elif (streams := self._hub.streams_of(person)) is not None:
            self._send_presence(news, [stream for stream in streams if not stream.startswith("workspace:")])
        elif len(self._waiting) < MOST_WAITING:
            self._waiting[person] = news
            self._some_wait.set()

    async def run(self) -> None:
        """Ask for the chats of those who are connected elsewhere, or nowhere."""
        while True:
            await self._some_wait.wait()
            await asyncio.sleep(GATHER_S)
            self._some_wait.clear()
            waiting, self._waiting = self._waiting, {}
            try:
                async with self._database.connection() as connection:
                    chats = await replay.chats_of(connection, list(waiting))
            except (Unavailable, asyncpg.PostgresError) as error:
                log.warning("ephemera.lost", error=type(error).__name__, count=len(waiting))
                continue
            for user_id, news in waiting.items():
                streams = [stream_of_chat(chat_id) for chat_id in chats.get(user_id, ())]
                self._send_presence(news, [stream_of_user(user_id), *streams])

    def _send_presence(self, news: _News, streams: list[str]) -> None:
        self._send(news, [stream for stream in streams if not self._hub.is_crowded(stream, CROWD)], None)

    def _send(self, news: _News, streams: list[str], stream: str | None) -> None:
        sse, ws = self._hub.sockets(streams, without=news.except_user)
        if not (sse or ws):
            return
        frame = frames.ephemeral(news.type, stream, bytes(news.payload))
        if sse:
            self._hub.fanout.offer(sse, frame.sse)
        if ws:
            self._hub.fanout.offer(ws, frame.ws)
