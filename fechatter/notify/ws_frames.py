"""The WebSocket's own rules, by websockets' state machine: the handshake, and frames into messages.

accept_key   what a proper handshake is answered with
Inbox        messages out of bytes, pongs, and the closing handshake
close_frame  a frame that closes with one of our codes
"""

import msgspec
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, PayloadTooBig
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import Protocol, Side
from websockets.server import ServerProtocol

from fechatter.domain.errors import InvalidRequest, UpgradeRequired
from fechatter.notify.close_codes import CloseCode
from fechatter.notify.request import Request

MESSAGE_BYTES = 64 * 1024
FRAMES_AT_ONCE = 256
"""More than that in one read is no client's need: tiny frames by the thousand would hold up everybody else's events."""
_FRAGMENTS = 1024
"""Of one message; without a limit, empty ones would add up for ever."""
_SLICE = 2 * 1024
"""Bytes that are parsed between two looks at how many frames there were."""
_MASK_BYTES = 4
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class AuthFrame(msgspec.Struct, frozen=True, tag_field="type", tag="auth"):
    token: str
    cursor: str | None = None


class ResumeFrame(msgspec.Struct, frozen=True, tag_field="type", tag="resume"):
    cursor: str


class BadFrame(Exception):
    """The client sent what the contract does not know."""


_decode = msgspec.json.Decoder(AuthFrame | ResumeFrame).decode


def accept_key(request: Request) -> str:
    """The Sec-WebSocket-Accept of a proper handshake. Raises InvalidRequest for any other request."""
    try:
        key, _extensions, _protocol = ServerProtocol().process_request(
            Handshake(request.path, Headers(request.headers), request.method)
        )
    except InvalidHandshake as error:
        if "upgrade" not in request.headers:
            raise UpgradeRequired from error
        raise InvalidRequest(f"The WebSocket handshake is not valid: {error}.") from error
    return key


class Inbox:
    """What one client sends.

    closed     whether it has sent a close frame, or broken the protocol
    _is_bad    whether a frame was bad: nothing more is looked at
    _machine   only while a frame or a message is half there: most connections send next to nothing, and it takes more
               memory than all the rest of them
    """

    __slots__ = ("_is_bad", "_machine", "_parts", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._is_bad = False
        self._machine: Protocol | None = None
        self._parts: list[bytes] = []

    def take(self, data: bytes) -> tuple[list[AuthFrame | ResumeFrame], bytes]:
        """The messages that `data` completes, and what must be answered at once. Raises BadFrame, once."""
        if self._is_bad:
            return [], b""
        try:
            return self._take(data)
        except BadFrame:
            self._is_bad = True
            self._machine, self._parts = None, []
            raise

    def _take(self, data: bytes) -> tuple[list[AuthFrame | ResumeFrame], bytes]:
        is_rest = self._machine is not None
        machine = self._machine = self._machine or Protocol(Side.SERVER, max_size=MESSAGE_BYTES)
        messages = self._parse(machine, data)
        reply = b"".join(machine.data_to_send())
        if isinstance(machine.parser_exc, PayloadTooBig):
            raise BadFrame("A frame is larger than 64 KiB.")
        if machine.close_rcvd is not None or machine.parser_exc is not None:
            self.closed = True
        elif not (is_rest or self._parts) and _ends_with_a_frame(data):
            self._machine = None
        return messages, reply

    def _parse(self, machine: Protocol, data: bytes) -> list[AuthFrame | ResumeFrame]:
        messages: list[AuthFrame | ResumeFrame] = []
        count = 0
        for start in range(0, len(data), _SLICE):
            machine.receive_data(data[start : start + _SLICE])
            for frame in machine.events_received():
                if isinstance(frame, Frame):
                    self._take_frame(frame, messages)
                    count += 1
            if count > FRAMES_AT_ONCE:
                raise BadFrame("Too many frames at once.")
        return messages

    def _take_frame(self, frame: Frame, messages: list[AuthFrame | ResumeFrame]) -> None:
        if frame.opcode is Opcode.BINARY:
            raise BadFrame("Frames are JSON text, not binary.")
        if frame.opcode not in _DATA:
            return
        self._parts.append(bytes(frame.data))
        if len(self._parts) > _FRAGMENTS:
            raise BadFrame("A message has too many fragments.")
        if frame.fin:
            text, self._parts = b"".join(self._parts), []
            try:
                messages.append(_decode(text))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise BadFrame("The frame is not one that this server takes.") from error


def close_frame(code: CloseCode, reason: str | None = None) -> bytes:
    """Close with `code` and `reason`, or the code's own words."""
    return Frame(Opcode.CLOSE, Close(code, reason or code.reason).serialize()).serialize(mask=False)


def _ends_with_a_frame(data: bytes) -> bool:
    """Whether data that begins with a client's frame also ends where one does (RFC 6455, 5.2)."""
    at = 0
    while at + 2 <= len(data):
        size, long = data[at + 1] & 0x7F, 0
        if size >= 126:
            long = 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : at + 2 + long])
        at += 2 + long + _MASK_BYTES + size
    return at == len(data)
