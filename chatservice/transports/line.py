"""The TCP line side: telnet, nc and the taught `net` client."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.dialects.phrases import say
from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Join, Leave
from chatservice.domain.errors import IDLE, LINE_TOO_LONG, SLOW, Disconnect
from chatservice.domain.events import Event, Noticed
from chatservice.domain.ports import Format
from chatservice.domain.session import Session
from chatservice.transports.addresses import shown
from chatservice.transports.conversation import Conversation
from chatservice.transports.frames import line_format
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.surroundings import LINE_GRACE_S, Manners, Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.watch import Deadline

LINE_BYTES = 8192
"""A line may be this long without its end: twice what a message may be in CJK, and telnet's own is 4096."""


@implementer(IHalfCloseableProtocol)
class ChatLine(Protocol):
    """One TCP connection of lines; a `Peer` to the hub.

    Not a `LineOnlyReceiver`: that one ends an oversize line with an orderly close, which a peer that does
    not read can refuse for ever, and it would tell the room half of a line that is too long.
    """

    factory: LineFactory
    transport: Transport  # type: ignore[assignment]
    format: Format

    def __init__(self) -> None:
        self.heard_at = 0.0
        self._unfinished = b""
        self._queue: SendQueue | None = None
        self._conversation: Conversation | None = None
        self._farewell: Deadline | None = None

    def connectionMade(self) -> None:
        """Greet, and take the newcomer into the default room."""
        around, manners = self.factory.around, self.factory.manners
        self.transport.setTcpNoDelay(True)
        spoken = dialect("line")
        self.format = line_format(spoken.voice(manners.lang, False))
        self._queue = SendQueue(self.transport, around.turn, self._overflowed)
        self.factory.peers.add(self)
        around.idle_lines.add(self)
        session = Session(around.hub, self, shown(self.transport.getPeer()))
        self._conversation = Conversation(spoken.parser(), self, session, around.report)
        self._conversation.perform(Join(manners.default_room))

    def dataReceived(self, data: bytes) -> None:
        """Split into lines; `\\n` or `\\r\\n` ends one."""
        self.heard_at = self.factory.around.now()
        *lines, rest = (self._unfinished + data).split(b"\n")
        for line in lines:
            if self._conversation is None:
                return
            said = line.removesuffix(b"\r")
            if len(said) > LINE_BYTES:
                self.close(LINE_TOO_LONG)
                return
            self._conversation.receive(said)
        if len(rest.removesuffix(b"\r")) > LINE_BYTES:
            self.close(LINE_TOO_LONG)
        self._unfinished = rest if self._conversation is not None else b""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone; a line without an end was never said."""
        self._end()
        if self._farewell is not None:
            self.factory.around.farewells.remove(self._farewell)

    def readConnectionLost(self) -> None:
        """`echo hello | nc` closes its half at once: what it typed is still said, then it is seen out."""
        if self._conversation is not None:
            self._conversation.perform(Leave())

    def writeConnectionLost(self) -> None:
        """Our own half is closed, by `close`."""

    # --- Peer and Wire ---

    def send(self, frames: bytes) -> None:
        """See `Peer.send`."""
        if self._queue is not None:
            self._queue.push(frames)

    def deliver(self, event: Event) -> None:
        """See `Peer.deliver`."""
        frames = self.format.frames(event)
        if frames is not None:
            self.send(frames)

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """A line straight back."""
        self.send(payload + b"\n")

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`. The reason is told in words: TCP has no close codes."""
        if self._conversation is None:
            return
        self.send(f"* {say(self.factory.manners.lang, why.name, {'limit': LINE_BYTES})}\n".encode())
        if self._queue is not None:
            self._queue.flush()
        self._end()
        self.transport.loseConnection()
        self._farewell = Deadline(self.transport.abortConnection)
        self.factory.around.farewells.add(self._farewell)

    def pause_reading(self) -> None:
        """Too many commands wait."""
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """There is room for more commands."""
        if self._conversation is not None:
            self.transport.resumeProducing()

    # --- Watched ---

    def nudge(self) -> None:
        """A line of ours after 90 s of silence keeps a NAT's entry alive and warns a person."""
        self.deliver(Noticed("still_there", {"seconds": int(LINE_GRACE_S)}))

    def give_up(self) -> None:
        """See `Watched.give_up`."""
        self.close(IDLE)

    def _overflowed(self) -> None:
        self.factory.reactor.callLater(0, self.close, SLOW)

    def _end(self) -> None:
        conversation, self._conversation = self._conversation, None
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()
        self.factory.peers.discard(self)
        self.factory.around.idle_lines.remove(self)
        if conversation is not None:
            conversation.end()


class LineFactory(Factory[ChatLine]):
    """Makes the protocols of one line listener and holds the registry of its live peers."""

    protocol = ChatLine
    noisy = False

    def __init__(self, around: Surroundings, manners: Manners, reactor: IReactorTime) -> None:
        self.around = around
        self.manners = manners
        self.reactor = reactor
        self.peers: set[ChatLine] = set()

    def buildProtocol(self, addr: IAddress | None) -> ChatLine:
        """A protocol for one connection."""
        protocol = ChatLine()
        protocol.factory = self
        return protocol

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for peer in list(self.peers):
            peer.close(why)
