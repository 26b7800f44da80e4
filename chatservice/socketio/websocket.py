"""The WebSocket side: one light Autobahn protocol that is a session's `Wire`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.python.failure import Failure

from chatservice.socketio.deadlines import Deadline
from chatservice.socketio.errors import BadPacket, HTTPRefusal
from chatservice.socketio.handshake import Handshake, judge, read_query, version
from chatservice.socketio.house import House
from chatservice.socketio.outgoing import MESSAGE
from chatservice.socketio.payload import decode_binary, decode_text
from chatservice.socketio.session import Session
from chatservice.wires import handshake
from chatservice.wires.frames import PONG, websocket_frame
from chatservice.wires.light import LightWebSocket, Quiet
from chatservice.wires.quick import sender_for


class SocketWebSocket(LightWebSocket):
    """One WebSocket connection."""

    factory: SocketWebSocketFactory

    _session: Session | None = None
    _asked: Handshake | None = None
    _farewell: Deadline[Any] | None = None

    # --- the protocol's callbacks ---

    def admit(self, request: handshake.Handshake) -> tuple[str | None, str | None]:
        """Look at what it wants, or refuse the handshake. No extension is taken: compressed, every recipient would
        need its own frame. See `LightWebSocket.admit`."""
        peer = self.transport.getPeer()
        self._asked = Handshake(
            read_query(request.query_string),
            request.headers,
            str(getattr(peer, "host", "")),
            ISSLTransport.providedBy(self.transport),
        )
        try:
            self._session = judge(self.factory.house, "GET", self._asked, is_upgrade=True)
        except HTTPRefusal as refusal:
            raise handshake.Denied(refusal.status, str(refusal)) from None
        return None, None

    def report(self, error: BaseException) -> None:
        """See `LightWebSocket.report`."""
        self.factory.house.report(error)

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

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A whole message."""
        session = self._session
        if session is None:
            return
        try:
            if isBinary:
                packet = decode_binary(session.version, payload)
            else:
                text = payload.decode()
                packet = (MESSAGE, text[1:]) if text[:1] == MESSAGE else decode_text(session.version, text)
        except BadPacket:
            session.wire_failed(self)
        else:
            session.wire_received(self, packet)

    def onPing(self, payload: bytes) -> None:
        """RFC 6455's pings are answered, but not to a peer that does not read the answers."""
        self.onPong(payload)
        if not self.is_full and self.state == self.STATE_OPEN:
            self.write(websocket_frame(payload, PONG))

    def onPong(self, payload: bytes) -> None:
        """Asked for by nobody here; like pings, a few of them harm nobody."""
        if self.state == self.STATE_OPEN and self.too_many_controls(self.factory.house.now()):
            self.sendCloseFrame(1008, b"too many control frames", False)

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


class SocketWebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]
    """Makes the protocols. Give it connections that want to be a WebSocket at the server's path."""

    protocol = SocketWebSocket
    noisy = False
    log = Quiet()

    def __init__(self, house: House, reactor: Any) -> None:
        super().__init__(server="", reactor=reactor)
        self.house = house
        self.headers: Mapping[bytes, bytes] | None = None  # of refused handshakes

    def buildProtocol(self, addr: IAddress | None) -> SocketWebSocket:
        """A protocol for one connection."""
        protocol = self.protocol()
        protocol.factory = self
        protocol.maxFramePayloadSize = protocol.maxMessagePayloadSize = self.house.options.max_payload
        return protocol
