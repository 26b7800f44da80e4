"""What can be wrong, and the words for why a connection ended."""

from __future__ import annotations

TRANSPORT_CLOSE = "transport close"
TRANSPORT_ERROR = "transport error"
PARSE_ERROR = "parse error"
PING_TIMEOUT = "ping timeout"
FORCED_CLOSE = "forced close"
SERVER_SHUTDOWN = "server shutting down"
TOO_SLOW = "too slow"
CLIENT_LEFT = "client namespace disconnect"
SERVER_LEFT = "server namespace disconnect"

RECOVERABLE = frozenset((TRANSPORT_CLOSE, TRANSPORT_ERROR, PING_TIMEOUT, FORCED_CLOSE, SERVER_SHUTDOWN, TOO_SLOW))
"""After an end for one of these reasons a socket may come back as the same (connection state recovery)."""


class BadPacket(ValueError):
    """The peer broke the protocol: its connection is closed. Holds none of the peer's words."""


class ConnectionRefused(Exception):
    """Raised by a middleware: this socket may not connect.

    :param message: what the client sees as `error.message` (Socket.IO v4 clients: as the error itself).
    :param data: more of it, any JSON value; `error.data`.
    """

    def __init__(self, message: str, data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class AckTimeout(Exception):
    """Not everybody acknowledged in time.

    :ivar answers: the arguments of those who did, a list for each.
    """

    def __init__(self, answers: list[list[object]]) -> None:
        super().__init__("an acknowledgement is missing")
        self.answers = answers


class HTTPRefusal(Exception):
    """A request gets an error as Engine.IO words it (the reference's `errors` table).

    :param status: 400, 403 or 503.
    :param code: 0 to 5.
    :param message: instead of the code's own.
    """

    def __init__(self, code: int, status: int = 400, message: str | None = None) -> None:
        super().__init__(message or MESSAGES[code])
        self.code = code
        self.status = status


UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_HANDSHAKE_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION = range(6)

MESSAGES = (
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
)
