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
    UNAUTHORIZED = "unauthorized"
    TOKEN_EXPIRED = "token_expired"
    FORBIDDEN = "forbidden"
    MUTED = "muted"
    NO_ROOM = "no_room"
    NOT_JOINED = "not_joined"
    NO_MESSAGE = "no_message"
    CONFLICT = "conflict"
    CID_CONFLICT = "cid_conflict"
    NICK_TAKEN = "nick_taken"
    LIMIT = "limit"
    NOT_AVAILABLE = "not_available"


TEMPORARY = frozenset({Code.INTERNAL, Code.RATE_LIMITED, Code.BUSY, Code.UNAVAILABLE})
"""The same command may succeed later, unchanged."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time among the values of a phrase, which each language says in its own words.

    :ivar s: seconds.
    """

    s: int


class Refused(Exception):
    """One command was not done; the connection stays, as a rule.

    :param code: what the peer is told.
    :param about: which phrase explains it, when one code has several causes; the code itself if empty.
    :param params: values for that phrase; they may be peer text and are escaped where they are shown.
    :param retry_ms: milliseconds to wait before the same command can succeed; 0 if unknown.
    :param ends: why the connection is ended once the peer has been told; None if it stays.
    """

    def __init__(
        self,
        code: Code,
        about: str = "",
        *,
        params: Mapping[str, object] | None = None,
        retry_ms: int = 0,
        ends: Disconnect | None = None,
    ) -> None:
        super().__init__(code, about)
        self.code = code
        self.about = about or code.value
        self.params: Mapping[str, object] = params or {}
        self.retry_ms = retry_ms
        self.ends = ends

    @property
    def temporary(self) -> bool:
        """Whether the same command may succeed later."""
        return self.code in TEMPORARY


class UnknownOutcome(Refused):
    """The command may have been done: its answer was lost on the way. Peers are told that it was refused and may
    try again; whoever keeps records notes it."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Why a connection is ended by us.

    :ivar name: a stable word for logs, phrases and `bye`.
    :ivar close_code: RFC 6455 section 7.4.1 close code, or one registered with IANA; for all dialects but chat.v1.
    :ivar own_code: chat.v1's; 4000 to 4499 say come back, 4500 to 4999 stay away. The standard one if 0.
    :ivar reconnect: whether the peer should come back.
    """

    name: str
    close_code: int
    own_code: int = 0
    reconnect: bool = False


GOODBYE = Disconnect("bye", 1000)
NOT_TEXT = Disconnect("not_text", 1003, 4501)
BAD_UTF8 = Disconnect("bad_utf8", 1007)
IDLE = Disconnect("timed_out", 1008, 4012, reconnect=True)
SLOW = Disconnect("slow_reader", 1008, 4008, reconnect=True)
FLOOD = Disconnect("flood", 1008, 4013, reconnect=True)
NOT_A_CHAT = Disconnect("not_a_chat", 1008)
LINE_TOO_LONG = Disconnect("line_too_long", 1009)
INTERNAL = Disconnect("internal", 1011, 4004, reconnect=True)
RESTART = Disconnect("shutdown", 1012, 4001, reconnect=True)
POSITION_LOST = Disconnect("out_of_step", 1012, 4010, reconnect=True)
TOKEN_EXPIRED = Disconnect("token_expired", 1008, 4005, reconnect=True)
BAD_TOKEN = Disconnect("bad_token", 1008, 4500)
BAD_PROTOCOL = Disconnect("bad_protocol", 1008, 4501)
NO_HELLO = Disconnect("no_hello", 1008, 4502)
TOO_MANY = Disconnect("too_many", 1008, 4504)
KICKED = Disconnect("kicked", 1008, 4503)
BANNED = Disconnect("banned", 1008, 4505)
BAD_VERSION = Disconnect("bad_version", 1008, 4506)

CLOSE_CODES = frozenset(
    {1000, 1001, 1002, 1003, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013}  # RFC 6455 section 7.4.1, and IANA's
    | {why.own_code for why in list(globals().values()) if isinstance(why, Disconnect)} - {0}
)
"""All that a connection of ours can sensibly end with."""


class Ended(Exception):
    """Raised by a dialect to end the connection that sent what it could not accept."""

    def __init__(self, why: Disconnect) -> None:
        super().__init__(why.name)
        self.why = why
