"""What goes over the wire, and what comes from it: frames, cursors, addresses and origins."""

from datetime import UTC, datetime

import msgspec
import pytest

from fechatter.notify.cursor import Cursor
from fechatter.notify.frames import Frame, Parcel, text_frame
from fechatter.notify.request import Origins, Proxies, parse_query, request_id
from fechatter.store.log.replay import LoggedEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(payload: bytes = b'{"a":1}', cursor: str = "e.7") -> Frame:
    return Frame.of(LoggedEvent("chat:1", 3, 6, "message.created", 1, NOW, payload), cursor)


def test_both_edges_send_the_same_json() -> None:
    one = frame()
    id_line, event_line, data_line, *rest = one.sse.split(b"\n")
    assert (id_line, event_line, rest) == (b"id: e.7", b"event: message.created", [b"", b""])
    sse, ws = msgspec.json.decode(data_line.removeprefix(b"data: ")), msgspec.json.decode(one.text)
    assert ws.pop("cursor") == "e.7"
    assert ws == sse


def test_a_payload_with_line_breaks_stays_on_one_data_line() -> None:
    data = frame(b'{\n"a":\r\n[1,\n2]}').sse
    assert data.count(b"\n") == 4
    assert b"\r" not in data


@pytest.mark.parametrize(("size", "head"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_text_frames_have_the_length_that_rfc_6455_asks_for(size: int, head: int) -> None:
    data = text_frame(b"x" * size)
    assert len(data) == head + size
    assert data[0] == 0x81
    assert int.from_bytes(data[2:head]) == size if head > 2 else data[1] == size


def test_receivers_of_the_same_frames_share_one_parcel() -> None:
    root, one, two = Parcel(), frame(), frame(cursor="e.8")
    assert root.with_(one).with_(two) is root.with_(one).with_(two)
    assert root.with_(one).with_(two).sse == one.sse + two.sse
    assert root.with_(two).ws == two.ws


def test_a_cursor_survives_the_way_there_and_back() -> None:
    assert Cursor.parse(str(Cursor("0af3", 2**62))) == Cursor("0af3", 2**62)


@pytest.mark.parametrize("token", ["", "x", "a.", ".1", "a.-1", "a.1.2", "a.1\n", "a.٣", "a." + "9" * 30, "é.1"])
def test_what_is_not_a_cursor_is_none(token: str) -> None:
    assert Cursor.parse(token) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "10.1.1.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "nonsense", "nonsense"),
    ],
)
def test_only_trusted_proxies_say_who_the_client_is(peer: str, forwarded: str, client: str) -> None:
    assert Proxies(["10.0.0.0/8"]).client(peer, forwarded) == client


def test_without_configuration_the_web_client_of_the_same_host_is_the_one_origin() -> None:
    origins = Origins((), "", 6688)
    assert origins.allow("http://chat.example:6688", "chat.example:6687")
    assert origins.allow("https://[::1]:6688", "[::1]:6687")
    assert not origins.allow("http://chat.example", "chat.example:6687")
    assert not origins.allow("null", "")


def test_configured_origins_are_the_only_ones() -> None:
    assert Origins((), "https://chat.example/app", 6688).allow("https://chat.example", "anything")
    named = Origins(("https://a.example/",), "https://chat.example", 6688)
    assert named.allow("https://A.example", "x")
    assert not named.allow("https://chat.example", "chat.example:6687")


def test_request_ids_are_the_callers_if_they_are_proper() -> None:
    assert request_id({"x-request-id": "abc-1_2.3"}) == "abc-1_2.3"
    assert request_id({"x-request-id": "a b"}) != "a b"
    assert request_id({}) != request_id({})


def test_the_first_of_equal_query_fields_counts() -> None:
    assert parse_query("a=1&a=2&b=%20") == {"a": "1", "b": " "}
