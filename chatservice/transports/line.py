"""The TCP line side: telnet, nc and the taught `net` client."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Join, Leave
from chatservice.domain.errors import IDLE, LINE_TOO_LONG, Disconnect
from chatservice.domain.events import Noticed
from chatservice.transports.frames import line_format, line_frame
from chatservice.transports.peer import Connected
from chatservice.transports.surroundings import LINE_GRACE_S, Manners, Surroundings
from chatservice.transports.transport import Transport

LINE_BYTES = 8192
"""A line may be this long without its end: twice what a message may be in CJK, and telnet's own is 4096."""

IAC = b"\xff"
"""What telnet says to telnet begins with this octet, which no UTF-8 has (RFC 854)."""

# Subnegotiations (RFC 855), options, other commands; what is not whole yet waits at the end.
_NEGOTIATION = re.compile(
    rb"\xff(?:\xfa[^\xff]*(?:\xff[^\xf0][^\xff]*)*\xff\xf0|[\xfb-\xfe][\x00-\xff]|[\xf0-\xf9])"
)


@implementer(IHalfCloseableProtocol)
class ChatLine(Connected, Protocol):
    """One TCP connection of lines; a `Peer` to the hub.

    Not a `LineOnlyReceiver`: that one ends an oversize line with an orderly close, which a peer that does
    not read can refuse for ever, and it would tell the room half of a line that is too long.
    """

    factory: LineFactory
    transport: Transport  # type: ignore[assignment]
    dialect_name = "line"

    _why = "gone"

    def __init__(self) -> None:
        self._unfinished = b""

    def connectionMade(self) -> None:
        """Greet, and take the newcomer into the default room."""
        around, manners = self.factory.around, self.factory.manners
        self.factory.peers.add(self)
        spoken = dialect("line")
        voice = spoken.voice(manners.lang, False)
        self.opened(around, "line", "line")
        conversation = self.begin(around, spoken, line_format(voice), around.idle_lines)
        home = Join(manners.default_room, alone=True)
        if conversation.session is not None:
            conversation.session.home = home
        conversation.perform(home)

    def dataReceived(self, data: bytes) -> None:
        """Split into lines; `\\n` or `\\r\\n` ends one."""
        self.heard_at = self.factory.around.now()
        self._passage.traffic.bytes_received += len(data)
        data = self._unfinished + data
        if IAC in data:
            data = _NEGOTIATION.sub(b"", data)
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self.conversation is None:
                return
            said = line.removesuffix(b"\r")
            if len(said) > LINE_BYTES:
                self.close(LINE_TOO_LONG)
                return
            self.conversation.receive(said)
        if len(rest.removesuffix(b"\r")) > LINE_BYTES:
            self.close(LINE_TOO_LONG)
        self._unfinished = rest if self.conversation is not None else b""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone; a line without an end was never said."""
        self._leave()
        self.forget_farewell()
        self.closed(self._why)

    def readConnectionLost(self) -> None:
        """`echo hello | nc` closes its half at once: what it typed is still said, then it is seen out."""
        if self.conversation is not None:
            self.conversation.perform(Leave())

    def writeConnectionLost(self) -> None:
        """Our own half is closed, by `close`."""

    # --- Peer and Wire ---

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """A line straight back."""
        frame = line_frame(payload)
        self.count_sent(frame)
        self.send(frame)

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`. The reason is told in words: TCP has no close codes."""
        if self.conversation is None:
            return
        self._why = why.name
        self.deliver(Noticed(why.name, {"limit": LINE_BYTES, "seconds": self.around.return_ms(why) / 1000}))
        self.flush()
        self._leave()
        self.transport.loseConnection()
        self.abort_in_a_while()

    # --- Watched ---

    def nudge(self) -> None:
        """A line of ours after 90 s of silence keeps a NAT's entry alive and warns a person."""
        self.deliver(Noticed("still_there", {"seconds": int(LINE_GRACE_S)}))

    def give_up(self) -> None:
        """See `Watched.give_up`."""
        self.close(IDLE)

    def _leave(self) -> None:
        self.factory.peers.discard(self)
        self.finish()


class LineFactory(Factory[ChatLine]):
    """Makes the protocols of one line listener and holds the registry of its live peers."""

    protocol = ChatLine
    noisy = False

    def __init__(self, around: Surroundings, manners: Manners, reactor: IReactorTime) -> None:
        self.around = around
        self.manners = manners
        self.reactor = reactor
        self.peers: set[ChatLine] = set()
        around.desk.connections.append(self.peers)

    def buildProtocol(self, addr: IAddress | None) -> ChatLine:
        """A protocol for one connection."""
        protocol = ChatLine()
        protocol.factory = self
        return protocol

    def living(self) -> Iterable[ChatLine]:
        """Whoever is connected now."""
        return list(self.peers)

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for peer in list(self.peers):
            peer.close(why)
