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


def test_empty_fragments_do_not_add_up_for_ever() -> None:
    inbox = Inbox()
    inbox.take(sent(Opcode.TEXT, b"", fin=False))
    for _ in range(10):
        inbox.take(sent(Opcode.CONT, b"", fin=False) * 100)
    with pytest.raises(BadFrame):
        inbox.take(sent(Opcode.CONT, b"", fin=False) * 100)
