"""POST /api/notifications/ticket: a way into notify_server for clients that cannot send a header."""

import msgspec
from litestar import post

from fechatter.domain.people import Caller
from fechatter.server.context import Context
from fechatter.store.people import tickets

TICKET_TTL_S = 30


class Ticket(msgspec.Struct, frozen=True):
    """Good once, for `expires_in` seconds, as ?ticket= of notify_server."""

    ticket: str
    expires_in: int


@post("/notifications/ticket", status_code=201, summary="Get a ticket for the event stream", tags=["notifications"])
async def create_ticket(context: Context, caller: Caller) -> Ticket:
    async with context.db.connection() as connection:
        return Ticket(await tickets.issue(connection, caller, TICKET_TTL_S), TICKET_TTL_S)


ROUTES = [create_ticket]
