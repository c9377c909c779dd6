"""The JetStream stream that takes what is published: its settings as code.

ensure_stream   make it, or make it as large as the settings ask for
StreamError     it cannot be made

Servers with different settings, and an operator's own hand, meet at one stream. So what is there only grows: nothing is
taken from it, and a server that asks for less says once that there is more. The server's own JSON is changed and sent
back, since nats-py leaves out what it does not know, and the server takes that for a wish.
"""

from typing import Any

import msgspec
import nats.errors

from fechatter import logs
from fechatter.bus.nats_link import NatsClient
from fechatter.bus.subjects import ALL
from fechatter.config import Messaging

NAME = "FECHATTER_EVENTS"
TIMEOUT_S = 2.0
MAX_MESSAGE_BYTES = 1024 * 1024
NANO = 1_000_000_000

_EXISTS, _NOT_FOUND = 10058, 10059
_ENDLESS = {"max_age": 0, "max_bytes": -1, "max_msg_size": -1}
"""What stands for no limit."""
_GROWS = ("num_replicas", "max_age", "max_bytes", "max_msg_size", "duplicate_window")
_KINDS = ("retention", "discard", "storage", "no_ack", "sealed")
"""What cannot be changed, or is an operator's business."""

Config = dict[str, Any]

log = logs.get(__name__)


class StreamError(Exception):
    """Its text says why, and goes on after "it"."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


async def ensure_stream(client: NatsClient, settings: Messaging) -> str:
    """How the stream that is there differs from the settings. Safe to repeat, also from several processes at once.

    Raises StreamError, or what a connection ends with.
    """
    wanted = _config_of(settings)
    found = await _look(client) or await _create(client, wanted)
    if (grown := _grown(found, wanted)) != found:
        try:
            found = await _ask(client, "UPDATE", grown)
        except StreamError as error:
            return f"{_difference(found, wanted)}, and cannot be made larger: it {error}"
    return _difference(found, wanted)


def _config_of(settings: Messaging) -> Config:
    """Old news give way to new ones: nobody waits for a full stream."""
    servers = len([url for url in settings.url.split(",") if url.strip()])
    return {
        "name": NAME,
        "description": "Places in Fechatter's event log that have been committed",
        "subjects": [ALL],
        "retention": "limits",
        "discard": "old",
        "storage": "file",
        "max_age": settings.max_age_s * NANO,
        "max_bytes": settings.max_bytes,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "duplicate_window": settings.duplicate_window_s * NANO,
        "num_replicas": settings.replicas or (3 if servers >= 3 else 1),
    }


async def _look(client: NatsClient) -> Config | None:
    try:
        return await _ask(client, "INFO")
    except StreamError as error:
        if error.code == _NOT_FOUND:
            return None
        raise


async def _create(client: NatsClient, wanted: Config) -> Config:
    try:
        return await _ask(client, "CREATE", wanted)
    except StreamError as error:
        if error.code != _EXISTS:
            raise
    return await _ask(client, "INFO")  # another process was quicker


async def _ask(client: NatsClient, what: str, config: Config | None = None) -> Config:
    """The stream's settings afterwards."""
    payload = msgspec.json.encode(config) if config else b""
    try:
        answer = await client.request(f"$JS.API.STREAM.{what}.{NAME}", payload, timeout=TIMEOUT_S)
    except nats.errors.NoRespondersError as error:
        raise StreamError("has no JetStream, or it is switched off") from error
    except TimeoutError as error:
        raise StreamError(client.refusal or f"does not answer when the stream {NAME} is asked for") from error
    said = msgspec.json.decode(answer.data, type=_Answer)
    if said.error is not None:
        raise StreamError(f"refuses the stream {NAME}: {said.error.description}", said.error.err_code)
    return said.config


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    config: Config = msgspec.field(default_factory=dict[str, Any])
    error: _Error | None = None


def _grown(found: Config, wanted: Config) -> Config:
    grown = found | {name: _larger(name, found.get(name, 0), wanted[name]) for name in _GROWS}
    subjects: list[str] = found.get("subjects") or []
    return grown | {"subjects": subjects if ALL in subjects else [*subjects, ALL]}


def _larger(name: str, there: int, asked: int) -> int:
    return there if there == _ENDLESS.get(name) else max(there, asked)


def _difference(found: Config, wanted: Config) -> str:
    different = [name for name in (*_GROWS, *_KINDS) if found.get(name, False) != wanted.get(name, False)]
    return ", ".join(f"{name} is {_shown(name, found.get(name))}" for name in different)


def _shown(name: str, value: object) -> str:
    if isinstance(value, int) and name in ("max_age", "duplicate_window"):
        return f"{value / NANO:g} s"
    return str(value)
