"""How a server behaves; each default with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chatservice.socketio.origins import Allowed, same_origin
from chatservice.socketio.seams import Elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Times are seconds, sizes bytes.

    :ivar path: where the server is, with a slash at both ends; the form without the last one works too.
    :ivar versions: Engine.IO protocol versions: 4 is Socket.IO clients 3.x and 4.x, 3 is 1.x and 2.x.
    :ivar ping_interval_s: silence until a ping; the reference's default.
    :ivar ping_timeout_s: how long a pong may take; the reference's default.
    :ivar upgrade_timeout_s: how long a WebSocket may take to take over from polling.
    :ivar connect_timeout_s: a client that is in no namespace for so long is sent away.
    :ivar max_payload: a POST body and a WebSocket message may have this many bytes.
    :ivar max_buffer: with more waiting for a peer that does not read or poll, it is sent away.
    :ivar high_water: with more waiting the handler is told that the session is pressed.
    :ivar max_sessions: so many live at a time, whatever carries them; more are answered 503. None is no limit.
    :ivar max_polling: so many of one address that no WebSocket carries: those cost a stranger one small request
        each. IPv6 counts by /64, which is what one household has. None is no limit: right behind a proxy, whose
        address all share.
    :ivar linger_s: how long a `close` waits for a client that is between two polls.
    :ivar farewell_s: a connection that was told to end and does not is cut after this.
    :ivar transports: which may be used, of `polling` and `websocket`.
    :ivar jsonp: serve JSONP polling. Off: a page of any origin could then read what is meant for another.
    :ivar allowed: which origins may connect, asked for polling and for WebSocket.
    :ivar cookie: the name of a cookie with the session id, for load balancers that need one.
    :ivar zip_bytes: poll answers from this size on are compressed if the client takes gzip; None for never.
    :ivar node: stands before the random part of session ids, so that a proxy can route by it.
    :ivar elsewhere: where requests go whose session is not in this process; see `Elsewhere`. None: they are
        answered that there is no such session.
    :ivar clients: directory of the client files, if they are to be served.
    :ivar recovery_s: connection state recovery: how long a lost socket is kept; 0 is off.
    :ivar recovery_skips_middleware: middleware is not asked about those who come back; the reference's default.
        With False it is, and only whom it lets in is recovered; what it wrote into `data` goes above the old.
    :ivar recovery_events: so many events a namespace are kept for it at most,
    :ivar recovery_bytes: and so many bytes,
    :ivar recovery_sockets: and so many lost sockets.
    """

    path: str = "/socket.io/"
    versions: frozenset[int] = frozenset((3, 4))
    ping_interval_s: float = 25.0
    ping_timeout_s: float = 20.0
    upgrade_timeout_s: float = 10.0
    connect_timeout_s: float = 45.0
    max_payload: int = 1_000_000
    max_buffer: int = 4 * 1024 * 1024
    high_water: int = 512 * 1024
    max_sessions: int | None = 10_000
    max_polling: int | None = 200
    linger_s: float = 30.0
    farewell_s: float = 5.0
    transports: frozenset[str] = frozenset(("polling", "websocket"))
    jsonp: bool = False
    allowed: Allowed = same_origin
    cookie: str | None = None
    zip_bytes: int | None = 1024
    node: str = ""
    elsewhere: Elsewhere | None = None
    clients: Path | None = None
    recovery_s: float = 0.0
    recovery_skips_middleware: bool = True
    recovery_events: int = 100_000
    recovery_bytes: int = 64 * 1024 * 1024
    recovery_sockets: int = 10_000

    @property
    def tick_s(self) -> float:
        """How often deadlines are looked at: often enough for a test's pings of a few hundred milliseconds."""
        return min(0.25, max(0.01, min(self.ping_interval_s, self.ping_timeout_s) / 10))
