"""The WebSocket side: an Autobahn protocol that is a `Peer`, and the factory that holds the living ones."""

from __future__ import annotations

import re
import secrets
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.python.failure import Failure

from chatservice.dialects.base import Dialect
from chatservice.dialects.phrases import choose_language, say
from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Rename
from chatservice.domain.errors import IDLE, Disconnect
from chatservice.domain.events import Bye
from chatservice.domain.limits import FRAME_BYTES
from chatservice.transports.frames import websocket_format
from chatservice.transports.peer import Connected
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.wishes import Denied, Wishes, origin_allowed, read_wishes
from chatservice.wires.frames import BINARY, PING, PONG, TEXT, websocket_frame

COMEBACK_MS = 5_000
"""Clients told to come back are spread over so many milliseconds."""

WHOLE_TEXT, MASKED, NO_MASK = 0x81, 0x80, bytes(4)


class _Quiet:
    """Autobahn logs every refused stranger with the stranger's own words; we keep our log to ourselves."""

    def debug(self, *_: object, **__: object) -> None: ...

    info = warn = error = trace = debug


class ChatWebSocket(Connected, WebSocketServerProtocol):  # type: ignore[misc]
    """One WebSocket connection: Autobahn below, a `Peer` to the hub above."""

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

    def __init__(self) -> None:
        super().__init__()
        self._wishes: Wishes | None = None
        self._spoken: Dialect | None = None
        self._own_codes = False

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
        self._spoken = spoken
        self._own_codes = spoken.has_hello
        # An upgrade on a kept-alive connection leaves the HTTP channel registered as producer.
        self.transport.unregisterProducer()
        self.factory.peers.add(self)
        voice = spoken.voice(wishes.lang, wishes.escape)
        conversation = self.begin(around, spoken, websocket_format(voice), around.pings)
        if spoken.chats and not spoken.has_hello:
            if wishes.nick:
                conversation.perform(Rename(wishes.nick))
            conversation.perform(wishes.join)

    def dataReceived(self, data: bytes) -> None:
        """What nearly all traffic is, whole small masked text frames, is read here; the rest is Autobahn's."""
        self.heard_at = self.factory.around.now()
        if (
            self.state == self.STATE_OPEN
            and not self.data
            and self.current_frame is None
            and not self.inside_message
        ):
            data = self._read_quickly(data)
        if data:
            self._dataReceived(data)

    def _read_quickly(self, data: bytes) -> bytes:
        """Take whole text frames off the front of `data`; returns what begins with anything else."""
        at, size = 0, len(data)
        while size - at >= 6 and data[at] == WHOLE_TEXT and self.conversation is not None:
            length = data[at + 1] - MASKED
            head = at + 2
            if length == 127:
                break  # longer than any message may be, or not the shortest form
            if length == 126:
                length = data[at + 2] << 8 | data[at + 3]
                head = at + 4
                if length < 126:
                    break  # not the shortest form: Autobahn says why
            begin = head + 4
            if length < 0 or length > FRAME_BYTES or begin + length > size:
                break
            payload = data[begin : begin + length]
            mask = data[head:begin]
            if mask != NO_MASK:
                stretched = (mask * (length // 4 + 1))[:length]
                payload = (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)
            if not payload.isascii():
                try:
                    payload.decode()
                except UnicodeDecodeError:
                    break
            at = begin + length
            self.conversation.receive(payload, False)
        return data[at:] if at else data

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A whole message."""
        self.heard_at = self.factory.around.now()
        if self.conversation is not None:
            self.conversation.receive(payload, isBinary)

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
        self._leave()
        self.forget_farewell()
        super().connectionLost(reason)

    def dropConnection(self, abort: bool = False) -> None:
        """End the transport; an orderly end gets a deadline."""
        super().dropConnection(abort)
        self._leave()
        if not abort:
            self.abort_in_a_while()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """Autobahn closes by itself when a peer breaks the protocol. Either way nothing of ours may follow the
        close frame, and a peer that never answers it must not keep its place for ever."""
        if self.state == self.STATE_OPEN:
            self.flush()
            self._leave()
            self.abort_in_a_while()
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

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """Straight back, below the chat."""
        self.send_alone(websocket_frame(payload, BINARY if is_binary else TEXT))

    def speak(self, lang: str) -> None:
        """Another language from now on."""
        assert self._spoken is not None
        voice = self._spoken.voice(choose_language(lang, self.factory.manners.lang), self.factory.manners.escape)
        self.format = websocket_format(voice)

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        if self.state == self.STATE_OPEN:
            if self._own_codes and why.name == "shutdown":
                self.deliver(Bye(why.name, why.reconnect, secrets.randbelow(COMEBACK_MS)))
            reason = say(self.factory.manners.lang, why.name).encode()[:120]
            code = why.own_code if self._own_codes and why.own_code else why.close_code
            self.sendCloseFrame(code, reason.decode(errors="ignore").encode(), False)

    # --- Watched ---

    def nudge(self) -> None:
        """See `Watched.nudge`. chat.v1 has a ping in words; the others get RFC 6455's."""
        self.send_alone(self.format.frames(self.pinged()) or websocket_frame(b"", PING))

    def give_up(self) -> None:
        """See `Watched.give_up`."""
        self.close(IDLE)

    def _leave(self) -> None:
        self.factory.peers.discard(self)
        self.finish()


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
        protocol.factory, protocol.around = self, self.around
        return protocol

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for peer in list(self.peers):
            peer.close(why)
