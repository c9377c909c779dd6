"""Logs: one JSON object a line, and never a secret or what people wrote."""

import json
import logging

import pytest

from fechatter import logs
from fechatter.config import Log

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _json_logs() -> None:
    logs.set_up(Log(format="json"), "test")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_a_json_object_that_names_its_service(capsys: pytest.CaptureFixture[str]) -> None:
    logs.get("x").info("started", port=6688)
    [line] = logged(capsys)
    assert (line["event"], line["service"], line["level"], line["port"]) == ("started", "test", "info", 6688)


@pytest.mark.parametrize(
    "name", ["password", "new_password", "token", "refresh_token", "ticket", "content", "Authorization"]
)
def test_values_are_hidden_by_their_name(capsys: pytest.CaptureFixture[str], name: str) -> None:
    logs.get("x").info("request", **{name: "hunter2"}, nested={"list": [{name: "hunter2"}]})
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://fechatter:hunter2@db/chat is away",
        "GET /events?ticket=hunter2&x=1",
        "Authorization: Bearer hunter2",
        TOKEN.replace("c2lnbmF0dXJl", "hunter2"),
    ],
)
def test_secrets_are_hidden_by_their_look(capsys: pytest.CaptureFixture[str], text: str) -> None:
    logs.get("x").warning(text, also=text)
    logging.getLogger("library").warning("says %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logs.get("x").exception("failed")
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 3
    assert "hunter2" not in told
