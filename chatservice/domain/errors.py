"""Every code a peer may see, in one place.

A `Refused` answers one command and the connection goes on. A `Disconnect` ends the connection and
says by its code whether the peer should come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Error codes of the wire (docs/wire/README.md, "Codes")."""

    INTERNAL = "internal"
    RATE_LIMITED = "rate_limited"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    BAD_JSON = "bad_json"
    BAD_REQUEST = "bad_request"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    NO_ROOM = "no_room"
    NOT_JOINED = "not_joined"
    CID_CONFLICT = "cid_conflict"
    NICK_TAKEN = "nick_taken"


TEMPORARY = frozenset({Code.INTERNAL, Code.RATE_LIMITED, Code.BUSY, Code.UNAVAILABLE})
"""The same command may succeed later, unchanged."""


class Refused(Exception):
    """One command was not done; the connection stays.

    :param code: what the peer is told.
    :param about: which phrase explains it, when one code has several causes; the code itself if empty.
    :param params: values for that phrase; they may be peer text and are escaped where they are shown.
    :param retry_ms: milliseconds to wait before the same command can succeed; 0 if unknown.
    """

    def __init__(
        self, code: Code, about: str = "", *, params: Mapping[str, object] | None = None, retry_ms: int = 0
    ) -> None:
        super().__init__(code, about)
        self.code = code
        self.about = about or code.value
        self.params: Mapping[str, object] = params or {}
        self.retry_ms = retry_ms

    @property
    def temporary(self) -> bool:
        """Whether the same command may succeed later."""
        return self.code in TEMPORARY


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Why a connection is ended by us.

    :ivar name: a stable word for logs and for phrases.
    :ivar close_code: RFC 6455 section 7.4.1 close code, or one registered with IANA.
    """

    name: str
    close_code: int


GOODBYE = Disconnect("bye", 1000)
NOT_TEXT = Disconnect("not_text", 1003)
BAD_UTF8 = Disconnect("bad_utf8", 1007)
IDLE = Disconnect("timed_out", 1008)
SLOW = Disconnect("slow_reader", 1008)
NOT_A_CHAT = Disconnect("not_a_chat", 1008)
LINE_TOO_LONG = Disconnect("line_too_long", 1009)
INTERNAL = Disconnect("internal", 1011)
RESTART = Disconnect("restart", 1012)


class Ended(Exception):
    """Raised by a dialect to end the connection that sent what it could not accept."""

    def __init__(self, why: Disconnect) -> None:
        super().__init__(why.name)
        self.why = why
