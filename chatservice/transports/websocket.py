"""The WebSocket side: an Autobahn protocol that is a `Peer`, and the factory that holds the living ones."""

from __future__ import annotations

import re
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.python.failure import Failure

from chatservice.dialects.phrases import say
from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Rename
from chatservice.domain.errors import SLOW, Disconnect
from chatservice.domain.events import Event
from chatservice.domain.ports import Format
from chatservice.domain.session import Session
from chatservice.transports.addresses import shown
from chatservice.transports.conversation import Conversation
from chatservice.transports.frames import BINARY, PING, PONG, TEXT, websocket_format, websocket_frame
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.watch import Deadline
from chatservice.transports.wishes import Denied, Wishes, origin_allowed, read_wishes

FRAME_BYTES = 65_536
"""A frame and a message may be this long: a text of 4000 code points in JSON needs at most 24 000."""


class _Quiet:
    """Autobahn logs every refused stranger with the stranger's own words; we keep our log to ourselves."""

    def debug(self, *_: object, **__: object) -> None: ...

    info = warn = error = trace = debug


class ChatWebSocket(WebSocketServerProtocol):  # type: ignore[misc]
    """One WebSocket connection: autobahn below, a `Peer` to the hub above.

    Autobahn owns the names `log`, `peer`, `state`, `factory` and `transport`; ours begin with `_` or are
    those of `Peer`, `Wire` and `Watched`.
    """

    log = _Quiet()

    # Options as class attributes: Autobahn else copies and pretty-prints 29 of them at every connect.
    CONFIG_ATTRS = ()
    logOctets = logFrames = trackTimings = False
    versions = (13,)
    webStatus = False
    utf8validateIncoming = True
    requireMaskedClientFrames = True
    maskServerFrames = False
    applyMask = True
    maxFramePayloadSize = FRAME_BYTES
    maxMessagePayloadSize = FRAME_BYTES
    autoFragmentSize = 0
    failByDrop = False  # True is a bare reset: a browser would see 1006 instead of our close code
    echoCloseCodeReason = False
    openHandshakeTimeout = 0  # the front door has read the whole request already
    closeHandshakeTimeout = 0  # the farewell queue bounds it; Autobahn's timers round down by up to 1 s
    tcpNoDelay = True
    autoPingInterval = autoPingTimeout = 0  # pings come from one shared queue
    autoPingSize = 12
    autoPingRestartOnAnyTraffic = True
    perMessageCompressionAccept = staticmethod(lambda _offers: None)
    serveFlashSocketPolicy = False
    flashSocketPolicy = None
    allowedOrigins = ("*",)  # judged in onConnect: Autobahn's patterns need a port and forget `null`
    allowedOriginsPatterns = (re.compile(""),)
    allowNullOrigin = True
    maxConnections = 0
    trustXForwardedFor = 0

    factory: ChatWebSocketFactory
    format: Format

    def __init__(self) -> None:
        super().__init__()
        self.heard_at = 0.0
        self._wishes: Wishes | None = None
        self._queue: SendQueue | None = None
        self._conversation: Conversation | None = None
        self._farewell: Deadline | None = None

    # --- Autobahn's callbacks ---

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """Choose the dialect, or refuse the handshake."""
        manners = self.factory.manners
        try:
            if not origin_allowed(request.origin, request.host, manners.loopback):
                raise Denied(403, "this origin may not connect")
            self._wishes = read_wishes(request.path, request.params, request.protocols, manners)
        except Denied as denied:
            deny = ConnectionDeny(denied.status)
            deny.reason = _OurWords(denied.reason)  # its constructor asserts `type(reason) == str`
            raise deny from None
        return self._wishes.subprotocol

    def onOpen(self) -> None:
        """The handshake is done: be a peer."""
        wishes, around = self._wishes, self.factory.around
        assert wishes is not None
        self._wishes = None
        spoken = dialect(wishes.dialect)
        self.format = websocket_format(spoken.voice(wishes.lang, wishes.escape))
        # An upgrade on a kept-alive connection leaves the HTTP channel registered as producer.
        self.transport.unregisterProducer()
        self._queue = SendQueue(self.transport, around.turn, self._overflowed)
        self.factory.peers.add(self)
        around.pings.add(self)
        session = Session(around.hub, self, shown(self.transport.getPeer())) if spoken.chats else None
        self._conversation = Conversation(spoken.parser(), self, session, around.report)
        if session is not None:
            if wishes.nick:
                self._conversation.perform(Rename(wishes.nick))
            self._conversation.perform(wishes.join)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A whole message."""
        self.heard_at = self.factory.around.now()
        if self._conversation is not None:
            self._conversation.receive(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        """A ping is a sign of life. Its pong waits in the queue like all else, so that whoever pings and never
        reads is a slow reader; Autobahn would write it past the queue."""
        self.heard_at = self.factory.around.now()
        self.send(websocket_frame(payload, PONG))

    def onPong(self, payload: bytes) -> None:
        """The answer to our ping."""
        self.heard_at = self.factory.around.now()

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone."""
        self._end()
        if self._farewell is not None:
            self.factory.around.farewells.remove(self._farewell)
            self._farewell = None
        super().connectionLost(reason)

    def dropConnection(self, abort: bool = False) -> None:
        """End the transport; an orderly end gets a deadline, because a peer that does not read could
        otherwise keep it, and its place in the room, for ever."""
        super().dropConnection(abort)
        self._end()
        if not abort:
            self._begin_farewell()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """Autobahn closes by itself when a peer breaks the protocol. Either way nothing of ours may follow the
        close frame, and a peer that never answers it must not keep its place for ever."""
        if self.state == self.STATE_OPEN:
            if self._queue is not None:
                self._queue.flush()
            self._end()
            self._begin_farewell()
        super().sendCloseFrame(code, reasonUtf8, isReply)

    def _parseExtensionsHeader(self, header: str, removeQuotes: bool = True) -> list[tuple[str, Any]]:
        """None is taken. Autobahn would refuse a whole handshake for an offer it cannot read, legal ones too."""
        return []

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        """Refuse the handshake. Autobahn's own reasons hold the peer's words, so they are not sent on."""
        told = reason if isinstance(reason, _OurWords) else "this is not a WebSocket handshake"
        super().failHandshake(told, code, responseHeaders)

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """A whole HTTP answer, so that a person with curl can read why."""
        body = reason.encode() + b"\n"
        more = "".join(f"{name}: {value}\r\n" for name, value in responseHeaders or ())
        head = (
            f"HTTP/1.1 {code} {_STATUS.get(code, 'Bad Request')}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
        )
        self.sendData(head.encode() + body)

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
        """Straight back, below the chat."""
        self.send(websocket_frame(payload, BINARY if is_binary else TEXT))

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        if self.state == self.STATE_OPEN:
            reason = say(self.factory.manners.lang, why.name).encode()[:120]
            self.sendCloseFrame(why.close_code, reason.decode(errors="ignore").encode(), False)

    def pause_reading(self) -> None:
        """Too many commands wait."""
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """There is room for more commands."""
        if self.state == self.STATE_OPEN:
            self.transport.resumeProducing()

    # --- Watched ---

    def nudge(self) -> None:
        """See `Watched.nudge`."""
        self.send(websocket_frame(b"", PING))

    def give_up(self) -> None:
        """See `Watched.give_up`."""
        self._end()
        self.transport.abortConnection()

    def _overflowed(self) -> None:
        self.factory.around.hub.report(SlowReader(shown(self.transport.getPeer())))
        self.factory.reactor.callLater(0, self.close, SLOW)

    def _begin_farewell(self) -> None:
        if self._farewell is None:
            self._farewell = Deadline(self.transport.abortConnection)
            self.factory.around.farewells.add(self._farewell)

    def _end(self) -> None:
        """Leave the rooms and the registry; what comes in from now on is not heard."""
        conversation, self._conversation = self._conversation, None
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()
        self.factory.peers.discard(self)
        self.factory.around.pings.remove(self)
        if conversation is not None:
            conversation.end()


class SlowReader(Exception):
    """Reported when a peer was cut off because it did not read."""


class _OurWords(str):
    """A reason we wrote ourselves and may send."""

    __slots__ = ()


_STATUS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    505: "HTTP Version Not Supported",
}


class ChatWebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]
    """Makes the protocols of one listener and holds the registry of its live peers."""

    protocol = ChatWebSocket
    noisy = False
    log = _Quiet()

    def __init__(self, around: Surroundings, manners: Manners, reactor: IReactorTime) -> None:
        super().__init__(server="", reactor=reactor)
        self.around = around
        self.manners = manners
        self.peers: set[ChatWebSocket] = set()

    def buildProtocol(self, addr: IAddress | None) -> ChatWebSocket:
        """A protocol for one connection."""
        protocol = self.protocol()
        protocol.factory = self
        return protocol

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for peer in list(self.peers):
            peer.close(why)
