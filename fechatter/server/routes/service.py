"""What the installation says of itself: /api/config for clients; /health, /ready and /metrics for operators."""

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import fechatter
from fechatter.domain.errors import DomainError
from fechatter.server.auth import ApiRequest
from fechatter.server.context import Context


class ClientLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a client should check before it sends. Sizes in bytes, lengths in characters."""

    content_chars: int
    files_per_message: int
    file_bytes: int
    name_chars: int
    fullname_chars: int
    password_min: int
    password_max: int
    members_at_once: int


class Config(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str
    notify_url: str
    signup: str
    limits: ClientLimits
    features: dict[str, bool]


class Health(msgspec.Struct, frozen=True):
    status: str


class Readiness(msgspec.Struct, frozen=True):
    """`status`: ready, degraded (it serves, a part is away) or unavailable; `checks`: each part by name.

    `process`: which of several answered.
    """

    status: str
    checks: dict[str, str]
    process: int | msgspec.UnsetType = msgspec.UNSET


@get("/api/config", summary="What clients need to know first", tags=["service"], security=[])
async def config(request: ApiRequest, context: Context) -> Config:
    settings = context.settings
    limits = msgspec.convert(msgspec.structs.asdict(settings.limits), ClientLimits)
    return Config(
        name=settings.name,
        version=fechatter.__version__,
        notify_url=notify_url(request, context),
        signup=settings.auth.signup,
        limits=limits,
        features={"search": True, "files": True, "websocket": True, "push": settings.push.enabled},
    )


@get("/health", summary="Is the process alive", tags=["service"], security=[])
async def health() -> Health:
    """Never asks the database."""
    return Health("ok")


@get("/ready", summary="Can it serve", tags=["service"], security=[])
async def ready(context: Context) -> Response[Readiness]:
    """503 while the database is away; `degraded` while only NATS or Meilisearch is: PostgreSQL stands in for both."""
    process = context.siblings.number if context.siblings.total > 1 else msgspec.UNSET
    checks = {"database": "ok"}
    if context.publisher is not None:
        checks["nats"] = context.publisher.standing
    try:
        await context.db.ping()
    except DomainError:
        return Response(Readiness("unavailable", checks | {"database": "away"}, process), status_code=503)
    checks["search"] = await context.searching.check() or "ok"
    return Response(Readiness("ready" if set(checks.values()) == {"ok"} else "degraded", checks, process))


@get("/metrics", summary="Prometheus metrics", tags=["service"], security=[], include_in_schema=False)
async def metrics(context: Context) -> Response[bytes]:
    """Of all processes on this machine that share the port."""
    return Response(context.siblings.metrics(generate_latest()), media_type=CONTENT_TYPE_LATEST)


def notify_url(request: ApiRequest, context: Context) -> str:
    """The public address of notify_server: configured, else the request's host with its port."""
    settings = context.settings
    if settings.notify.public_url:
        return settings.notify.public_url.rstrip("/")
    host = request.url.hostname or "127.0.0.1"
    return f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{settings.notify.port}"


ROUTES = [config, health, ready, metrics]
