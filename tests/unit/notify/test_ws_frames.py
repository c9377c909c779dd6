"""What a client's bytes become: messages, answers to pings, and an end to it where they are too many."""

import pytest
from websockets.frames import Frame, Opcode

from fechatter.notify.ws_frames import FRAMES_AT_ONCE, AuthFrame, BadFrame, Inbox


def sent(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def test_a_message_in_fragments_is_one_message() -> None:
    parts = [sent(Opcode.TEXT, b'{"type":"auth",', fin=False), sent(Opcode.CONT, b'"token":"t"}')]
    messages, _ = Inbox().take(b"".join(parts))
    assert messages == [AuthFrame("t")]


def test_a_message_of_the_largest_size_is_read_whole() -> None:
    text = b'{"type":"auth","token":"t"}'
    messages, _ = Inbox().take(sent(Opcode.TEXT, text + b" " * (64 * 1024 - len(text))))
    assert messages == [AuthFrame("t")]


def test_pings_are_answered() -> None:
    _, reply = Inbox().take(sent(Opcode.PING, b"hi") * 3)
    assert reply == Frame(Opcode.PONG, b"hi").serialize(mask=False) * 3


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
def test_frames_by_the_thousand_are_not_read_to_their_end(opcode: Opcode) -> None:
    with pytest.raises(BadFrame):
        Inbox().take(sent(opcode) * 100 * FRAMES_AT_ONCE)


def test_after_a_bad_frame_nothing_is_looked_at_nor_kept() -> None:
    """Else its sender could go on until it is cut: with pings whose answers add up, or with work for the parser."""
    inbox = Inbox()
    with pytest.raises(BadFrame):
        inbox.take(sent(Opcode.PING, b"hi") + sent(Opcode.BINARY))
    assert inbox.take(sent(Opcode.PING, b"hi") + sent(Opcode.BINARY)) == ([], b"")
    assert inbox.take(b"no frame at all") == ([], b"")
    assert not inbox.closed


def test_empty_fragments_do_not_add_up_for_ever() -> None:
    inbox = Inbox()
    inbox.take(sent(Opcode.TEXT, b"", fin=False))
    for _ in range(10):
        inbox.take(sent(Opcode.CONT, b"", fin=False) * 100)
    with pytest.raises(BadFrame):
        inbox.take(sent(Opcode.CONT, b"", fin=False) * 100)


def test_wherever_the_bytes_are_cut_the_messages_are_the_same() -> None:
    """At rest nothing is kept of a connection but that it is at rest: half a frame, or half a message, is not rest."""
    long = b'{"type":"resume","cursor":"' + b"c" * 300 + b'"}'
    parts = [
        sent(Opcode.TEXT, b'{"type":"auth",', fin=False),
        sent(Opcode.PING, b"hi"),
        sent(Opcode.CONT, b'"token":"t"}'),
        sent(Opcode.TEXT, long),
        sent(Opcode.TEXT, b'{"type":"resume","cursor":"c"}'),
        sent(Opcode.PONG),
    ]
    data = b"".join(parts)
    whole, reply = Inbox().take(data)
    assert len(whole) == 3
    for first in range(len(data)):
        for second in (first, first + 1, first + 7):
            inbox = Inbox()
            taken = [inbox.take(piece) for piece in (data[:first], data[first:second], data[second:])]
            assert [message for messages, _ in taken for message in messages] == whole
            assert b"".join(answer for _, answer in taken) == reply
    inbox = Inbox()
    for part in parts:
        inbox.take(part)
    inbox.take(sent(Opcode.CLOSE, b"\x03\xe8"))
    assert inbox.closed
