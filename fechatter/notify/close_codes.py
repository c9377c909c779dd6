"""Why the server closes a stream, and whether to come back: the codes of the WebSocket and of SSE's `goodbye`."""

from enum import IntEnum


class CloseCode(IntEnum):
    GOING_AWAY = 4000
    SLOW_READER = 4001
    UNAUTHENTICATED = 4401
    ACCESS_ENDED = 4403
    AUTH_TIMEOUT = 4408
    BAD_FRAME = 4409
    TOO_MANY = 4429

    @property
    def reason(self) -> str:
        """One sentence for people."""
        return _REASONS[self]

    @property
    def reconnect(self) -> bool:
        """Whether the same client may come back as it is, with its cursor."""
        return self in (CloseCode.GOING_AWAY, CloseCode.SLOW_READER)


_REASONS = {
    CloseCode.GOING_AWAY: "The server is going away: reconnect and resume.",
    CloseCode.SLOW_READER: "The stream was read too slowly: reconnect and resume.",
    CloseCode.UNAUTHENTICATED: "The credentials are not valid: sign in.",
    CloseCode.ACCESS_ENDED: "The session has ended: sign in.",
    CloseCode.AUTH_TIMEOUT: "No auth frame came in time.",
    CloseCode.BAD_FRAME: "The frame was not one that this server takes.",
    CloseCode.TOO_MANY: "Too many streams are open: close some.",
}
