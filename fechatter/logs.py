"""Logs: JSON lines on stderr (coloured lines on a terminal), one event each, without secrets.

set_up(log, service)   once, when a process starts
get(name)              a logger; bind what belongs to a request to it
redact(…)              the guard: what looks like a secret or a message never gets out
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from fechatter.config import Log

HIDDEN = "[hidden]"

SECRET_NAME = re.compile(
    r"pass(word|wd)?$|secret|token|ticket|cookie|authorization|api_?key|signing_?key|db_url|^dsn$|^cursor$"
    r"|^(content|text|body|payload)$",
    re.IGNORECASE,
)
SECRET_TEXT = re.compile(
    r"(?P<url>\w+://[^\s:/@]*:)[^\s/@]+(?=@)"  # the password of an address
    r"|(?P<scheme>bearer\s+)[\w.~+/=-]+"
    r"|(?P<query>[?&](?:ticket|token|access_token|code)=)[^&\s\"']+"
    r"|(?P<invite>/invites?/)[^/?#\s\"']+"  # its code
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*",  # a JWT
    re.IGNORECASE,
)

TALKATIVE = {"websockets": logging.INFO, "httpx2": logging.WARNING, "httpcore2": logging.WARNING}
"""Libraries that write down what they carry, or each of their requests, below this level."""


def set_up(log: Log, service: str) -> None:
    """Send the logs of this process, and of the libraries in it, to stderr. `service` is in every line."""
    console = log.format == "console" or (log.format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_service(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                _console_renderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
    for name, level in TALKATIVE.items():
        logging.getLogger(name).setLevel(max(level, root.level))


def get(name: str) -> FilteringBoundLogger:
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide secrets and what people wrote: by the name of a value, and by its look wherever it stands."""
    return cast("EventDict", _clean_mapping(event))


def _clean_mapping(values: Mapping[str, object]) -> MutableMapping[str, object]:
    return {
        name: HIDDEN if value is not None and SECRET_NAME.search(str(name)) else _clean(value)
        for name, value in values.items()
    }


def _clean(value: object) -> object:
    if isinstance(value, str):
        return SECRET_TEXT.sub(_mask, value)
    if isinstance(value, Mapping):
        return _clean_mapping(cast("Mapping[str, object]", value))
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in cast("list[object]", value)]
    if value is None or isinstance(value, int | float):
        return value
    return _clean(str(value))


def _mask(found: re.Match[str]) -> str:
    return (found["url"] or found["scheme"] or found["query"] or found["invite"] or "") + HIDDEN


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add


def _console_renderer() -> Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
