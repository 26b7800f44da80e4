"""The WebSocket side: one Autobahn protocol that is a session's `Wire`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES

from chatservice.socketio.deadlines import Deadline
from chatservice.socketio.errors import BadPacket, HTTPRefusal
from chatservice.socketio.handshake import Handshake, judge, read_query, version
from chatservice.socketio.house import House
from chatservice.socketio.outgoing import MESSAGE
from chatservice.socketio.payload import decode_binary, decode_text
from chatservice.socketio.session import Session
from chatservice.wires.quick import sender_for

WHOLE_TEXT, MASKED, NO_MASK = 0x81, 0x80, bytes(4)
QUICK_BYTES = 65_536
"""Longer frames are left to Autobahn; they are rare and may come in many pieces."""


class _Quiet:
    """Autobahn logs every refused stranger with the stranger's own words."""

    def debug(self, *_: object, **__: object) -> None: ...

    info = warn = error = trace = debug


class SocketWebSocket(WebSocketServerProtocol):  # type: ignore[misc]
    """One WebSocket connection."""

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
    maxFramePayloadSize = maxMessagePayloadSize = 0  # the factory sets both
    autoFragmentSize = 0
    failByDrop = False
    echoCloseCodeReason = False
    openHandshakeTimeout = 0  # whoever hands the connection over has read the whole request already
    closeHandshakeTimeout = 0  # the farewell queue bounds it: Autobahn's timers cost quadratic time in a mass end
    tcpNoDelay = True
    autoPingInterval = autoPingTimeout = 0  # Engine.IO has its own
    autoPingSize = 12
    autoPingRestartOnAnyTraffic = True
    # permessage-deflate stays off: every recipient would need its own frame.
    perMessageCompressionAccept = staticmethod(lambda _offers: None)
    serveFlashSocketPolicy = False
    flashSocketPolicy = None
    allowedOrigins = ("*",)  # judged in onConnect, as for polling
    allowedOriginsPatterns = (re.compile(""),)
    allowNullOrigin = True
    maxConnections = 0
    trustXForwardedFor = 0

    factory: SocketWebSocketFactory

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._asked: Handshake | None = None
        self._farewell: Deadline[Any] | None = None

    # --- Autobahn's callbacks ---

    def onConnect(self, request: ConnectionRequest) -> None:
        """Look at what it wants, or refuse the handshake."""
        house = self.factory.house
        uri = str(self.http_request_uri)
        peer = self.transport.getPeer()
        self._asked = Handshake(
            read_query(uri.partition("?")[2]),
            dict(request.headers),
            str(getattr(peer, "host", "")),
            ISSLTransport.providedBy(self.transport),
        )
        try:
            self._session = judge(house, "GET", self._asked, is_upgrade=True)
        except HTTPRefusal as refusal:
            deny = ConnectionDeny(refusal.status)
            deny.reason = _OurWords(str(refusal))  # its constructor asserts `type(reason) == str`
            raise deny from None

    def onOpen(self) -> None:
        """The handshake is done: carry a new session, or probe for one that polls."""
        house = self.factory.house
        # An upgrade that came through twisted.web leaves the HTTP channel registered as producer.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        self.write = partial(sender_for(self.transport), self.transport)
        asked, self._asked = self._asked, None
        session = self._session
        if session is not None:
            session.attach(self)
        elif asked is not None:
            session = self._session = house.new_session(
                version(house, asked.query), base64="b64" in asked.query, handshake=asked
            )
            session.open(self)

    def dataReceived(self, data: bytes) -> None:
        """What nearly all traffic is, whole small masked text frames, is read here; the rest is Autobahn's."""
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
        limit = min(QUICK_BYTES, self.maxMessagePayloadSize)
        while size - at >= 6 and data[at] == WHOLE_TEXT and self.state == self.STATE_OPEN:
            length = data[at + 1] - MASKED
            head = at + 2
            if length == 126:
                length = data[at + 2] << 8 | data[at + 3]
                head = at + 4
                if length < 126:
                    break  # not the shortest form: Autobahn says why
            elif length == 127:
                break
            begin = head + 4
            if length < 0 or length > limit or begin + length > size:
                break
            payload = data[begin : begin + length]
            mask = data[head:begin]
            if mask != NO_MASK:
                stretched = (mask * (length // 4 + 1))[:length]
                payload = (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                break
            at = begin + length
            self._received(text)
        return data[at:] if at else data

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A whole message that was not read quickly."""
        self._received(payload if isBinary else payload.decode())

    def _received(self, data: str | bytes) -> None:
        session = self._session
        if session is None:
            return
        if isinstance(data, str):
            if data[:1] == MESSAGE:
                session.wire_received(self, (MESSAGE, data[1:]))
                return
            decode: Any = decode_text
        else:
            decode = decode_binary
        try:
            packet = decode(session.version, data)
        except BadPacket:
            session.wire_failed(self)
        else:
            session.wire_received(self, packet)

    def onPing(self, payload: bytes) -> None:
        """RFC 6455's pings are answered, but not to a peer that does not read the answers."""
        if not self.is_full:
            self.sendPong(payload)

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone."""
        self._leave()
        if self._farewell is not None:
            self._farewell.cancel()
        super().connectionLost(reason)

    def dropConnection(self, abort: bool = False) -> None:
        """End the transport; an orderly end gets a deadline."""
        super().dropConnection(abort)
        self._leave()
        if not abort:
            self._cut_in_a_while()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """Whoever begins the end: nothing of ours may follow the close frame, and a peer that never answers it
        must not keep its place for ever."""
        if self.state == self.STATE_OPEN:
            self._leave()
            self._cut_in_a_while()
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
        status = RESPONSES.get(code, b"Bad Request")
        self.sendData(
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b\n"
            % (code, status, len(reason.encode()) + 1, reason.encode())
        )

    # --- Wire ---

    # See `Wire.write`: straight to the transport, past Autobahn. A session is told before anything ends the
    # connection, so nothing is written behind a close frame.
    write: Callable[[bytes], object]

    def close(self) -> None:
        """See `Wire.close`."""
        if self.state == self.STATE_OPEN:
            self._session = None
            self.sendCloseFrame(1000, None, False)

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.wire_lost(self)

    def _cut_in_a_while(self) -> None:
        if self._farewell is None:
            self._farewell = self.factory.house.add_farewell(self.transport.abortConnection)

    # --- IPushProducer: the transport says how full it is ---

    is_full = False

    def pauseProducing(self) -> None:
        """It is full."""
        self.is_full = True
        if self._session is not None:
            self._session.pause(self)

    def resumeProducing(self) -> None:
        """It has room again."""
        self.is_full = False
        if self._session is not None:
            self._session.resume(self)

    def stopProducing(self) -> None:
        """The connection is gone; `connectionLost` follows."""


class _OurWords(str):
    """A reason we wrote ourselves and may send."""

    __slots__ = ()


class SocketWebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]
    """Makes the protocols. Give it connections that want to be a WebSocket at the server's path."""

    protocol = SocketWebSocket
    noisy = False
    log = _Quiet()

    def __init__(self, house: House, reactor: Any) -> None:
        super().__init__(server="", reactor=reactor)
        self.house = house

    def buildProtocol(self, addr: IAddress | None) -> SocketWebSocket:
        """A protocol for one connection."""
        protocol = self.protocol()
        protocol.factory = self
        protocol.maxFramePayloadSize = protocol.maxMessagePayloadSize = self.house.options.max_payload
        return protocol
