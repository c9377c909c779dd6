"""Every way of signing in to NATS, each at a server that knows no other; and what is said where it lets nobody in."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace
from structlog.testing import capture_logs

from fechatter.bus import nats_link
from fechatter.bus.nats_link import NatsLink
from fechatter.cli import doctor
from fechatter.config import Loaded, Settings
from fechatter.domain.errors import OperatorError
from tests.integration.bus.line import Line, OpenLine
from tests.support.nats_doors import WAYS, Door, door, server_with
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, eventually

CUT = "closed the connection"
HEAR = ["fechatter.>", "_INBOX_fechatter.>"]


@pytest.fixture(params=WAYS)
def entrance(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Door]:
    with door(request.param, tmp_path / "nats") as opened:
        yield opened


@pytest.mark.usefixtures("patient")
async def test_each_way_of_signing_in_carries_news_with_no_more_rights_than_the_manual_gives(
    entrance: Door, line: OpenLine
) -> None:
    async with line(entrance.right) as ours:
        await ours.stands("ok")
        await ours.carries()


async def test_who_is_not_let_in_says_why_once_and_notifies(
    entrance: Door, line: OpenLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_link, "CONNECT_S", PATIENCE_S)  # that it is late would be said before
    for why, wrong in entrance.wrong.items():
        with capture_logs() as logged:
            async with line(wrong) as ours:
                await ours.stands(f"away: it {why}")
                await ours.notifies()
        lost = [entry for entry in logged if entry["event"] == "nats.lost"]
        assert sorted(entry["to"] for entry in lost if entry["error"] == why) == ["listen", "publish"]
        others = {entry["error"] for entry in lost} - {why}
        assert others <= {CUT}, "what a refusal by an alert of TLS looks like to who writes before reading it"


@pytest.mark.usefixtures("patient")
def test_the_doctor_says_of_each_server_why_it_lets_nobody_in(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with door("token", tmp_path / "nats") as entrance:
        why, wrong = next(iter(entrance.wrong.items()))
        nobody = free_port()
        messaging = replace(wrong, url=f"{wrong.url},nats://127.0.0.1:{nobody}")
        doctor.run(Loaded(replace(settings, messaging=messaging), ()))
    told = capsys.readouterr().out
    assert f"127.0.0.1:{entrance.node.port}: {why}" in told
    assert f"127.0.0.1:{nobody}: does not listen" in told
    assert wrong.token not in told


@pytest.mark.parametrize(
    ("publish", "hear", "missing"),
    [
        (["$JS.API.>", "fechatter.live"], HEAR, 'publish to "fechatter.events.'),
        (["$JS.API.>", "fechatter.>"], ["fechatter.live", "_INBOX_fechatter.>"], 'subscription to "fechatter.events.'),
        (["fechatter.>"], HEAR, 'publish to "$js.api.stream.info.fechatter_events"'),
    ],
)
async def test_a_server_that_lets_us_in_but_permits_too_little_counts_as_away(
    publish: list[str], hear: list[str], missing: str, tmp_path: Path, line: OpenLine
) -> None:
    """It looks well, and news would wait for the sweep."""
    with server_with(tmp_path, publish, hear) as messaging:
        async with line(messaging) as ours:
            await eventually(lambda: says(ours, "does not permit what we need", missing), "it is told what is missing")
            await ours.notifies()


@pytest.mark.usefixtures("patient")
async def test_where_an_operator_has_made_the_stream_no_right_to_make_one_is_needed(
    tmp_path: Path, line: OpenLine
) -> None:
    with server_with(tmp_path, ["fechatter.>", "$JS.API.STREAM.INFO.FECHATTER_EVENTS"], HEAR) as messaging:
        async with line(replace(messaging, user="operator")) as theirs:
            await theirs.stands("ok")
        async with line(messaging) as ours:
            await ours.stands("ok")
            await ours.carries()


async def test_a_certificate_that_was_renewed_is_used_without_a_restart(tmp_path: Path, line: OpenLine) -> None:
    with door("certificate alone", tmp_path / "nats") as entrance:
        certificate, key = tmp_path / "ours.pem", tmp_path / "ours.key"
        shutil.copy(entrance.folder / "nobody.pem", certificate)
        shutil.copy(entrance.folder / "nobody.key", key)
        async with line(replace(entrance.right, tls_cert=certificate, tls_key=key)) as ours:
            await ours.stands("away: it knows nobody with the certificate of messaging.tls_cert")
            shutil.copy(entrance.folder / "client.pem", certificate)
            shutil.copy(entrance.folder / "client.key", key)
            await ours.stands("ok")


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, and the process would stand still."""
    with door("certificate alone", tmp_path / "nats") as entrance:
        key = serialization.load_pem_private_key((entrance.folder / "client.key").read_bytes(), None)
        locked = tmp_path / "locked.key"
        locked.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        with pytest.raises(OperatorError, match=r"correct messaging\.tls_ca, messaging\.tls_cert and messaging"):
            NatsLink(replace(entrance.right, tls_key=locked), "test", "test")


async def says(line: Line, *words: str) -> bool:
    return any(all(word in standing for word in words) for standing in line.standings)
