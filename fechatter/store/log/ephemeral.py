"""News that nobody keeps: presence, typing, receipts, on their way to the notify servers.

announce       one piece of news
announce_all   many, in one statement
tell           NOTIFY of what has been encoded already

In a transaction they go out when it commits: by NOTIFY, by the connection's outbox, or by both. A lost one is lost:
clients ask again when they load.
"""

from collections.abc import Sequence
from secrets import token_hex

import msgspec

from fechatter.domain.events import Ephemeral, EventType, Receipt, Typing
from fechatter.domain.people import UserPresence
from fechatter.store.database import Connection
from fechatter.store.log.outbox import outbox_of

CHANNEL = "fechatter_ephemeral"
MOST_BYTES = 7_999
"""PostgreSQL refuses a longer payload, and with it the transaction."""


async def announce(
    connection: Connection,
    type_: EventType,
    to: str,
    payload: UserPresence | Typing | Receipt,
    *,
    except_user: int | None = None,
) -> None:
    """Tell those who listen now. `to` is `chat:<id>`, `user:<id>` or `peers:<user id>`."""
    news = Ephemeral(id=token_hex(8), type=type_, to=to, payload=payload, except_user=except_user)
    await announce_all(connection, [news])


async def announce_all(connection: Connection, news: Sequence[Ephemeral]) -> None:
    """Tell those who listen now. What would not fit in a NOTIFY is left out."""
    encoded = [msgspec.json.encode(each) for each in news]
    fitting = [each.decode() for each in encoded if len(each) <= MOST_BYTES]
    outbox = outbox_of(connection)
    if outbox is not None:
        outbox.ephemera += fitting
    if fitting and not (outbox is not None and outbox.takes_ephemera):
        await tell(connection, fitting)


async def tell(connection: Connection, encoded: Sequence[str]) -> None:
    """NOTIFY, in one statement. Each fits."""
    await connection.execute("SELECT pg_notify($1, news) FROM unnest($2::text[]) AS news", CHANNEL, encoded)
