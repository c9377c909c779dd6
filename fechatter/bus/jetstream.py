"""The JetStream stream that takes what is published: its settings as code.

ensure_stream   make it, or change it to what the settings say
"""

from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError

from fechatter.bus.subjects import ALL
from fechatter.config import Messaging

NAME = "FECHATTER_EVENTS"
TIMEOUT_S = 2.0
_EXISTS = 10058
MAX_MESSAGE_BYTES = 1024 * 1024


async def ensure_stream(client: Client, settings: Messaging) -> None:
    """Safe to repeat, also from several processes at once. Raises nats.js.errors.Error or TimeoutError."""
    manager = client.jsm(timeout=TIMEOUT_S)  # pyright: ignore[reportUnknownMemberType]
    wanted = stream_config(settings)
    try:
        await manager.add_stream(wanted)  # pyright: ignore[reportUnknownMemberType] - it leaves its extras untyped
    except BadRequestError as error:
        if error.err_code != _EXISTS:
            raise
        await manager.update_stream(wanted)  # pyright: ignore[reportUnknownMemberType]


def stream_config(settings: Messaging) -> StreamConfig:
    """Old news give way to new ones: nobody waits for a full stream."""
    servers = len([url for url in settings.url.split(",") if url.strip()])
    return StreamConfig(
        name=NAME,
        description="Places in Fechatter's event log that have been committed",
        subjects=[ALL],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=settings.max_age_s,
        max_bytes=settings.max_bytes,
        max_msg_size=MAX_MESSAGE_BYTES,
        duplicate_window=settings.duplicate_window_s,
        num_replicas=settings.replicas or (3 if servers >= 3 else 1),
    )


def explain(error: Exception) -> str:
    """Why the stream could not be made, for a log."""
    return f"{error.err_code}: {error.description}" if isinstance(error, APIError) else type(error).__name__
