"""What operators see of fechatter_server on /metrics, beside the process itself.

count        one request, by method, route and status
consumers    how far each consumer of the event log is
watch        what is read when asked for: posts that wait, connections in use
watch_publisher   the same of what is told to NATS
watch_loop   by how much the event loop is late, until cancelled
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from litestar.types import HTTPScope
from prometheus_client import Gauge, Histogram

from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.store.log.consumers import Standing

_REQUESTS = Histogram(
    "fechatter_requests_seconds",
    "Time from a request's head to the end of its answer",
    ["method", "route", "status"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
)
_POSTS_WAITING = Gauge("fechatter_posts_waiting", "Posts that wait for a statement")
_SEARCH_BEHIND = Gauge(
    "fechatter_search_behind", "Messages from before the built-in search that it does not find yet, at most"
)
_CONSUMER_BEHIND = Gauge("fechatter_consumer_behind", "Events that a consumer of the log has not handled", ["consumer"])
_CONSUMER_BEHIND_S = Gauge(
    "fechatter_consumer_behind_seconds", "Age of the oldest event that a consumer has not handled", ["consumer"]
)
_CONSUMER_SET_ASIDE = Gauge(
    "fechatter_consumer_set_aside", "Events that a consumer could not handle and has left", ["consumer"]
)
_CONNECTIONS_IN_USE = Gauge("fechatter_database_connections_in_use", "Connections of the pool that work")
_LOOP_STALL = Histogram(
    "fechatter_loop_stall_seconds",
    "By how much the event loop was late for a timer",
    buckets=(0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1),
)
_TICK_S = 0.025


def count(scope: HTTPScope, status: int, took_s: float) -> None:
    """Routes are counted by their template: an address with its ids would make a series of its own."""
    route: str = cast("dict[str, Any]", scope).get("path_template", "")
    _of(scope["method"], route or "none", status).observe(took_s)


def search_behind(messages: int) -> None:
    _SEARCH_BEHIND.set(messages)


def consumers(standings: Iterable[Standing]) -> None:
    for each in standings:
        _CONSUMER_BEHIND.labels(each.name).set(each.behind)
        _CONSUMER_BEHIND_S.labels(each.name).set(each.behind_s)
        _CONSUMER_SET_ASIDE.labels(each.name).set(each.set_aside)


def watch(posts_waiting: Callable[[], int], connections_in_use: Callable[[], int]) -> None:
    """Read these when /metrics is asked for."""
    _POSTS_WAITING.set_function(posts_waiting)
    _CONNECTIONS_IN_USE.set_function(connections_in_use)


async def watch_loop() -> None:
    """Look at the clock again and again."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        _LOOP_STALL.observe(max(0.0, loop.time() - due))


def watch_publisher(publisher: NatsPublisher) -> None:
    """Read these when /metrics is asked for."""
    figures: dict[str, tuple[str, Callable[[], float]]] = {
        "fechatter_nats_up": ("Whether NATS takes and keeps what is published", lambda: publisher.alive),
        "fechatter_nats_published": ("Messages with news that were published", lambda: publisher.published),
        "fechatter_nats_answered": ("Of these, taken by JetStream", lambda: publisher.answered),
        "fechatter_nats_unanswered": ("Messages that JetStream has not answered", lambda: publisher.unanswered),
        "fechatter_nats_dropped": ("News for which there was no room", lambda: publisher.dropped),
        "fechatter_notified": ("Streams told by NOTIFY instead of NATS", lambda: publisher.fallback.notified),
        "fechatter_notify_needed": ("Whether a notify_server needs NOTIFY", lambda: publisher.fallback.needed),
    }
    for name, (about, read) in figures.items():
        _gauge(name, about).set_function(read)


@cache
def _gauge(name: str, about: str) -> Gauge:
    return Gauge(name, about)


@cache
def _of(method: str, route: str, status: int) -> Histogram:
    return _REQUESTS.labels(method, route, str(status))
