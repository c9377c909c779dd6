"""Presence: what one says of oneself, and how others can be reached."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import get, put
from litestar.params import Parameter

from fechatter.actions.identity.set_presence import set_presence
from fechatter.domain.errors import InvalidRequest
from fechatter.domain.ids import MAX_ID
from fechatter.domain.people import Caller, Presence, UserPresence
from fechatter.domain.text import check_text
from fechatter.server.context import Context
from fechatter.store.people import presence

TEXT_CHARS = 128
LONGEST = timedelta(days=366)
MOST_AT_ONCE = 500

UserIds = Annotated[
    list[Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]],
    Parameter(min_items=1, max_items=MOST_AT_ONCE, description="Whose; may be given many times."),
]


class NewPresence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`online` stands for what is the case: away after ten minutes of doing nothing. `until` null: for good."""

    status: Presence
    text: str | None = None
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@put("/users/me/presence", summary="Say how I can be reached", tags=["presence"])
async def put_presence(context: Context, caller: Caller, data: NewPresence) -> UserPresence:
    """`offline` hides that one is here. After `until` status and text are as if nothing had been said."""
    text = None if data.text is None else check_text("text", data.text, 0, TEXT_CHARS).strip() or None
    if data.until is not None and not timedelta(0) < data.until - datetime.now(UTC) <= LONGEST:
        raise InvalidRequest(fields={"until": "must be a time to come, within a year"})
    return await set_presence(context.db, caller, data.status, text, data.until)


@get("/presence", summary="How people can be reached", tags=["presence"])
async def get_presence(context: Context, caller: Caller, user_id: UserIds) -> list[UserPresence]:
    """Whom the caller cannot see is left out."""
    async with context.db.connection() as connection:
        return list(await presence.of_users(connection, caller.user_id, user_id))


ROUTES = [put_presence, get_presence]
