"""fechatter_server: the ASGI app.

create_app   from settings to an app; the pool opens with the app's life-span
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.messages.post_message import Posting
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.domain.words import warm
from fechatter.files.storage import open_storage
from fechatter.search.choose import Searching, open_searching
from fechatter.server import metrics, upkeep
from fechatter.server.activity import Activity
from fechatter.server.auth import provide_caller, provide_claimed_caller
from fechatter.server.bodies import StrictRequest
from fechatter.server.context import Context
from fechatter.server.edge import Edge
from fechatter.server.file_access import file_tokens
from fechatter.server.limits import RateLimits
from fechatter.server.options import check_address, options_routes
from fechatter.server.origins import Origins
from fechatter.server.problems import handlers
from fechatter.server.quick_post import QuickPost
from fechatter.server.routes import (
    auth,
    chat_members,
    chats,
    docs,
    files,
    invites,
    messages,
    notifications,
    presence,
    push,
    receipts,
    search,
    service,
    users,
    web,
    workspaces,
)
from fechatter.server.sidebar_cache import SidebarCache
from fechatter.server.web import WebClient
from fechatter.siblings import Siblings
from fechatter.store.database import Database
from fechatter.store.migrate import check_schema
from fechatter.store.search.meilisearch_state import switched_off

STOP_S = 2.0

API: Sequence[HTTPRouteHandler] = [
    *auth.ROUTES,
    *users.ROUTES,
    *presence.ROUTES,
    *workspaces.ROUTES,
    *invites.ROUTES,
    *chats.ROUTES,
    *chat_members.ROUTES,
    *messages.ROUTES,
    *files.ROUTES,
    *receipts.ROUTES,
    *notifications.ROUTES,
    *search.ROUTES,
    *push.ROUTES,
]


def create_app(settings: Settings, siblings: Siblings | None = None) -> ASGIApp:
    """The app. Its start-up raises OperatorError when the database is away or has another schema."""
    start = _Start(settings, siblings or Siblings.alone())
    app: Any = QuickPost(start.app(), start.context)
    edge: Any = Edge(app, Origins(settings.server.allowed_origins, settings.server.public_url))
    if settings.trusted_proxies:
        return ProxyHeadersMiddleware(edge, trusted_hosts=list(settings.trusted_proxies))  # pyright: ignore[reportReturnType]
    return edge


class _Start:
    """Builds the app, and what it shares once there is an event loop.

    _context   set when the life-span begins
    """

    def __init__(self, settings: Settings, siblings: Siblings) -> None:
        self._settings = settings
        self._siblings = siblings
        self._context: Context | None = None

    def app(self) -> Litestar:
        web_client = WebClient.load(self._settings.name)
        return Litestar(
            route_handlers=[
                Router("/api", route_handlers=[*options_routes(API), *API], before_request=check_address),
                *service.ROUTES,
                *docs.ROUTES,
                *web.ROUTES,
            ],
            dependencies={
                "context": Provide(self.context, sync_to_thread=False),
                "claimed": Provide(provide_claimed_caller),
                "caller": Provide(provide_caller),
                "web": Provide(lambda: web_client, sync_to_thread=False),
            },
            request_class=StrictRequest,
            exception_handlers=handlers,
            lifespan=[self._life_span],
            openapi_config=None,  # ours is made from the same routes (fechatter/server/openapi)
            request_max_body_size=self._settings.limits.body_bytes,
            debug=False,
            logging_config=None,  # the process has set up its logs already (fechatter/logs.py)
        )

    def context(self) -> Context:
        """What all routes share. Only within the life-span."""
        assert self._context is not None, "the app serves only within its life-span"
        return self._context

    @asynccontextmanager
    async def _life_span(self, _: Litestar) -> AsyncGenerator[None]:
        settings = self._settings
        await asyncio.to_thread(warm)  # Chinese words: half a second that the first message would wait for
        publisher = NatsPublisher(settings.messaging, "fechatter_server") if settings.messaging.enabled else None
        db = await Database.open(
            settings.server.db_url, settings.database.pool_size, "fechatter_server", outlet=publisher
        )
        passwords = Passwords()
        try:
            async with db.connection() as connection:
                await check_schema(connection)
            async with open_searching(settings.search, db) as searching:
                self._context = context = self._share(db, passwords, searching, publisher)
                metrics.watch(lambda: context.posting.waiting, lambda: db.in_use)
                resting = switched_off(enabled=settings.search.enabled)
                kept_up = upkeep.run(db, context.limits, context.activity, self._siblings, resting)
                chores = [asyncio.create_task(kept_up, name="upkeep")]
                if publisher is not None:
                    metrics.watch_publisher(publisher)
                    chores.append(asyncio.create_task(publisher.run(db), name=upkeep.TASK))
                try:
                    yield
                finally:
                    await context.posting.close()
                    if publisher is not None:
                        await publisher.close()
                    for chore in chores:
                        chore.cancel()
                    await asyncio.wait(chores, timeout=STOP_S)
        finally:
            passwords.close()
            await db.close()

    def _share(
        self, db: Database, passwords: Passwords, searching: Searching, publisher: NatsPublisher | None
    ) -> Context:
        settings = self._settings
        return Context(
            settings,
            db,
            Tokens(settings.auth.signing_key.encode(), settings.auth.issuer, settings.auth.token_ttl_s),
            file_tokens(settings),
            passwords,
            Posting(db),
            open_storage(settings),
            searching,
            SidebarCache(),
            RateLimits(db, settings.limits),
            Activity(db),
            self._siblings,
            publisher,
        )
