"""notify_server, put together: answers requests, opens streams, drains.

Notifier.answer   the routes
Notifier.run      the sequencer and everything beside it, until cancelled
Notifier.drain    send everyone away, to come back elsewhere
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta

from fechatter import logs
from fechatter.bus.carriers import Carriers
from fechatter.config import Settings
from fechatter.domain.errors import DomainError, Forbidden, MethodNotAllowed, NotFound, Unavailable
from fechatter.domain.people import Caller
from fechatter.notify import answers
from fechatter.notify.caretaker import Caretaker
from fechatter.notify.chores import end_what_ended, prune_the_log, publish_metrics, tell_presence
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.edge_sse import SseStream
from fechatter.notify.edge_ws import WsDoor, WsStream
from fechatter.notify.ephemera import Ephemera
from fechatter.notify.fanout import Fanout
from fechatter.notify.gate import Gate
from fechatter.notify.http import HttpConnection
from fechatter.notify.hub import Hub
from fechatter.notify.metrics import CONTENT_TYPE, Metrics
from fechatter.notify.reception import Reception
from fechatter.notify.request import Origins, Proxies, Request
from fechatter.notify.sequencer import QUICK_SWEEP_S, SWEEP_S, Sequencer
from fechatter.notify.session import Had, Session
from fechatter.notify.stream import Stream
from fechatter.notify.ws_frames import accept_key
from fechatter.siblings import Siblings
from fechatter.store.database import Database

REPLAY_LIMIT = 100_000
"""The most events that one connection gets replayed."""
DRAIN_S = 8.0
RETRY_SPREAD_MS = 5_000
STALE_LOOK_S = 5.0

Opener = Callable[[Request, HttpConnection, Caller], None]

log = logs.get(__name__)


class Notifier:
    """One process of notify_server.

    draining   whether it has been told to stop
    fanout     the sockets of its streams
    """

    def __init__(self, settings: Settings, database: Database, gate: Gate, bus: Carriers, siblings: Siblings) -> None:
        self.proxies = Proxies(settings.trusted_proxies)
        self.origins = Origins(settings.notify.allowed_origins, settings.server.public_url, settings.server.port)
        self.draining = False
        self._heartbeat_s = settings.notify.heartbeat_s
        self._retention = timedelta(days=settings.notify.retention_days)
        self._database = database
        self._gate = gate
        self._bus = bus
        self._siblings = siblings
        self.fanout = Fanout()
        self._hub = Hub(self.fanout, bus.interest)
        self._metrics = Metrics()
        self._sequencer = Sequencer(settings.server.db_url, self._hub)
        self._reception = Reception(database, self._sequencer.wake, REPLAY_LIMIT)
        self._caretaker = Caretaker(self._heartbeat_s, self._metrics, self.fanout)
        self._ephemera = Ephemera(self._hub, database)
        self._opening: set[asyncio.Task[None]] = set()
        self._routes: dict[str, Callable[[Request, HttpConnection], bytes | None]] = {
            "/events": self._events,
            "/api/notifications/events": self._events,
            "/ws": self._ws,
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._show_metrics,
        }
        self._watch()

    async def run(self) -> None:
        """Serve until cancelled. Raises only what is a bug."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sequencer.run(self._reception))
            tasks.create_task(self._reception.run())
            tasks.create_task(self._caretaker.run())
            tasks.create_task(self._bus.run(self._on_news, self._ephemera.hear))
            tasks.create_task(self._ephemera.run())
            tasks.create_task(end_what_ended(self._database, self._caretaker))
            tasks.create_task(tell_presence(self._database, self._hub.users))
            tasks.create_task(prune_the_log(self._database, self._retention))
            tasks.create_task(publish_metrics(self._siblings, self._metrics))

    async def drain(self) -> None:
        """Send everyone away with a time to come back that is different for each; return when all are gone."""
        self.draining = True
        for stream in self._caretaker.all():
            stream.end(CloseCode.GOING_AWAY, random.randint(100, RETRY_SPREAD_MS))  # noqa: S311
        for connection in list(self._caretaker.idle):
            connection.transport.close()
        try:
            await asyncio.wait_for(self._caretaker.all_gone(), DRAIN_S)
        except TimeoutError:
            log.info("notify.cut", streams=self._caretaker.streams)
        self._caretaker.cut_all()

    # What HttpConnection asks for.

    def opened(self, connection: HttpConnection) -> None:
        self._caretaker.idle.add(connection)

    def closed(self, connection: HttpConnection) -> None:
        self._caretaker.idle.discard(connection)

    def answer(self, request: Request, connection: HttpConnection) -> bytes | None:
        """Route the request. Never raises."""
        route = self._routes.get(request.path)
        streams = route in (self._events, self._ws)
        methods = "GET, OPTIONS" if streams else "GET, HEAD, OPTIONS"
        try:
            if route is None:
                raise NotFound
            if request.method == "OPTIONS":
                return answers.preflight(request, methods)
            if request.method != "GET" and (streams or request.method != "HEAD"):
                return answers.problem(request, MethodNotAllowed(), allow=methods)
            return route(request, connection)
        except DomainError as error:
            if streams:
                self._metrics.refused.labels(error.code).inc()
            return answers.problem(request, error)

    # What streams tell.

    def place(self) -> tuple[int, Had]:
        self.fanout.finish()  # an event counts as sent to all once it is being sent to some
        return self._sequencer.watermark, Had(self._sequencer.seen, dict(self._hub.sent))

    def entered(self, stream: Stream) -> None:
        self._reception.enter(stream)

    def paused(self, stream: Stream) -> None:
        self._hub.detach(stream)
        self._reception.leave(stream)

    def fell_behind(self, stream: Stream) -> None:
        self._hub.detach(stream)
        self._caretaker.lags(stream)

    def ended(self, stream: Stream, code: CloseCode) -> None:
        self._metrics.closed.labels(str(int(code))).inc()
        self._caretaker.leaves(stream)
        self._withdraw(stream)

    def left(self, stream: Stream) -> None:
        self._caretaker.left(stream)
        self._withdraw(stream)
        self._gate.give_back(stream.session.caller.user_id, stream.address)

    def _withdraw(self, stream: Stream) -> None:
        self._hub.detach(stream)
        self._reception.leave(stream)
        self._caretaker.forget(stream)

    def verify(self, token: str) -> Caller:
        return self._gate.verify(token)

    def open_ws(self, door: WsDoor, caller: Caller, token: str | None) -> None:
        self._gate.take(caller.user_id, door.address)
        stream = WsStream(door, self, Session(caller, token, self._heartbeat_s))
        door.enter(stream)
        self._admit(stream)

    # The routes.

    def _events(self, request: Request, connection: HttpConnection) -> None:
        self._when_known(request, connection, self._gate.caller_of(request), self._open_sse)

    def _ws(self, request: Request, connection: HttpConnection) -> None:
        if "origin" in request.headers and request.origin is None:
            raise Forbidden("Pages of this origin may not connect.")
        accept_key(request)
        if self._gate.has_credentials(request):
            self._when_known(request, connection, self._gate.caller_of(request), self._open_ws)
        elif self.draining:
            raise _AWAY
        else:
            self._door(request, connection)

    def _when_known(self, request: Request, connection: HttpConnection, caller: Caller | None, open_: Opener) -> None:
        """Open a stream for `caller`, or for whom the ticket names."""
        if self.draining:
            raise _AWAY
        if caller is not None:
            open_(request, connection, caller)
            return
        task = asyncio.create_task(self._open_by_ticket(request, connection, open_))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_by_ticket(self, request: Request, connection: HttpConnection, open_: Opener) -> None:
        try:
            caller = await self._gate.redeem(request.query["ticket"])
            if not connection.transport.is_closing():
                open_(request, connection, caller)
        except DomainError as error:
            self._metrics.refused.labels(error.code).inc()
            connection.respond(answers.problem(request, error), request)

    def _open_sse(self, request: Request, connection: HttpConnection, caller: Caller) -> None:
        self._gate.take(caller.user_id, request.address)
        session = Session(caller, request.cursor, self._heartbeat_s)
        stream = SseStream(connection.transport, self, session, request)
        connection.handed_over()
        connection.transport.set_protocol(stream)
        self._admit(stream)

    def _open_ws(self, request: Request, connection: HttpConnection, caller: Caller) -> None:
        self._gate.check(caller.user_id, request.address)
        self.open_ws(self._door(request, connection), caller, request.cursor)

    def _door(self, request: Request, connection: HttpConnection) -> WsDoor:
        connection.handed_over()
        door = WsDoor(connection.transport, self, request)
        connection.transport.set_protocol(door)
        if connection.rest:
            asyncio.get_running_loop().call_soon(_pass_on, connection.transport, connection.rest)
        return door

    def _admit(self, stream: Stream) -> None:
        self._caretaker.adopt(stream)
        self._reception.enter(stream)

    def _health(self, request: Request, _connection: HttpConnection) -> bytes:
        return answers.json(request, 200, {"status": "ok"})

    def _ready(self, request: Request, _connection: HttpConnection) -> bytes:
        looks = self._sequencer.alive and time.monotonic() - self._sequencer.looked_at < STALE_LOOK_S
        checks = {
            "database": "ok" if looks else "away",
            "bus": "ok" if self._bus.alive else "away",
        }
        if self._bus.nats is not None:
            checks["nats"] = self._bus.nats.standing
        if self.draining:
            checks["process"] = "draining"
        missing = {part for part, check in checks.items() if check != "ok"}
        status = "ready" if not missing else "degraded" if missing == {"nats"} else "unavailable"
        state: dict[str, object] = {"status": status, "checks": checks}
        if self._siblings.total > 1:
            state["process"] = self._siblings.number
        return answers.json(request, 503 if status == "unavailable" else 200, state)

    def _show_metrics(self, request: Request, _connection: HttpConnection) -> bytes:
        return answers.answer(request, 200, self._siblings.metrics(self._metrics.text()), CONTENT_TYPE)

    # Beside the sequencer.

    def _on_news(self, stream: str | None) -> None:
        """A hint; None: what the bus can hear has changed, and there may have been any."""
        if stream is None:
            self._sequencer.sweep_s = QUICK_SWEEP_S if self._bus.degraded else SWEEP_S
        if stream is None or self._hub.hears(stream):
            self._sequencer.wake()

    def _watch(self) -> None:
        if (nats := self._bus.nats) is not None:
            self._metrics.watch(
                gauges={
                    "fechatter_notify_nats_up": ("Whether NATS can be heard", lambda: nats.alive),
                    "fechatter_notify_nats_subjects": ("Subjects subscribed to", lambda: nats.subscriptions),
                },
                counters={
                    "fechatter_notify_nats_hints": ("Messages with news from NATS", lambda: nats.hints),
                    "fechatter_notify_doubles": ("Ephemera dropped that came twice", lambda: self._bus.doubles),
                },
            )
        self._metrics.watch(
            gauges={
                "fechatter_notify_streams": ("Open streams", lambda: self._caretaker.streams),
                "fechatter_notify_waiting": ("Streams on their way in", lambda: len(self._reception.arrivals)),
                "fechatter_notify_look_age_seconds": (
                    "Time since the event log was last looked at",
                    lambda: time.monotonic() - self._sequencer.looked_at,
                ),
            },
            counters={
                "fechatter_notify_deliveries": ("Events handed to connections", lambda: self._hub.deliveries),
                "fechatter_notify_looks": ("Looks at the event log", lambda: self._sequencer.looks),
            },
        )


_AWAY = Unavailable("The server is going away: try again in a moment.")


def _pass_on(transport: asyncio.Transport, data: bytes) -> None:
    """Give the connection's present protocol what came with the request's head."""
    protocol = transport.get_protocol()
    if isinstance(protocol, asyncio.Protocol) and not transport.is_closing():
        protocol.data_received(data)
