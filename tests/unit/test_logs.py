"""Logs: one JSON object a line, and never a secret or what people wrote."""

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr
from typing import Literal

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from fechatter import logs
from fechatter.config import Log

HIDDEN_NAMES = ["password", "new_password", "token", "refresh_token", "ticket", "content", "Authorization"]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0."


@contextmanager
def told(level: Literal["info", "debug"] = "info") -> Generator[io.StringIO]:
    """What is logged in the block; the test run's own handlers come back afterwards."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], {each: each.level for each in (root, *map(logging.getLogger, logs.TALKATIVE))}
    try:
        with redirect_stderr(io.StringIO()) as stderr:
            logs.set_up(Log(format="json", level=level), "test")
            yield stderr
    finally:
        root.handlers[:] = handlers
        for logger, its_level in before.items():
            logger.setLevel(its_level)


def test_a_line_is_a_json_object_that_names_its_service() -> None:
    with told() as stderr:
        logs.get("x").info("started", port=6688)
    line = json.loads(stderr.getvalue())
    assert (line["event"], line["service"], line["level"], line["port"]) == ("started", "test", "info", 6688)


@pytest.mark.parametrize("name", HIDDEN_NAMES)
def test_values_are_hidden_by_their_name(name: str) -> None:
    with told() as stderr:
        logs.get("x").info("request", **{name: "hunter2"}, nested={"list": [{name: "hunter2"}]})
    assert "request" in stderr.getvalue()
    assert "hunter2" not in stderr.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://fechatter:hunter2@db/chat is away",
        "GET /events?ticket=hunter2&x=1",
        "Authorization: Bearer hunter2",
        f"{TOKEN}hunter2",
        "POST /api/invites/hunter2/accept",
        "https://chat.example/invite/hunter2?x=1",
    ],
)
def test_secrets_are_hidden_by_their_look(text: str) -> None:
    with told() as stderr:
        logs.get("x").warning(text, also=text)
        logging.getLogger("library").warning("says %s", text)
        logs.get("x").error("failed", exc_info=ValueError(text))
    assert len(stderr.getvalue().splitlines()) == 3
    assert "hunter2" not in stderr.getvalue()


def test_a_path_tells_where_it_leads_but_for_the_code() -> None:
    with told() as stderr:
        logs.get("x").info("request", path="/api/invites/hunter2/accept")
    assert json.loads(stderr.getvalue())["path"] == f"/api/invites/{logs.HIDDEN}/accept"


def test_the_frames_that_a_library_carries_are_not_written_even_at_debug() -> None:
    with told("debug") as stderr:
        Protocol(Side.SERVER).receive_data(Frame(Opcode.TEXT, b"hunter2").serialize(mask=True))
        logs.get("x").debug("ours")
    assert "ours" in stderr.getvalue()
    assert "hunter2" not in stderr.getvalue()
