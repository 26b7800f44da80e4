"""The first protocol of every connection to the main port: page, static file, or WebSocket?

It reads one request head and hands the connection, bytes and all, to whoever it is for: an upgrade to
Autobahn, anything else to twisted.web. A WebSocket handshake through twisted.web would cost four times as
much and half as much memory again, and neither of the two bounds a request head in size and in time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.server import Site

from chatservice.transports.headers import refusal, security_headers
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.watch import Deadline
from chatservice.transports.websocket import ChatWebSocketFactory
from chatservice.wires.headers import FORGED

HEAD_BYTES = 16_384
"""A request head may be this long; twisted.web has the same bound, Autobahn has none."""

_UPGRADE = re.compile(rb"\r\n[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:[ \t]*[Ww][Ee][Bb][Ss][Oo][Cc][Kk][Ee][Tt]")


class FrontDoor(Protocol):
    """Waits for one whole request head, for at most ten seconds and 16 KiB."""

    factory: FrontDoorFactory
    transport: Transport  # type: ignore[assignment]

    def __init__(self) -> None:
        self._head = b""
        self._deadline: Deadline | None = None
        self._farewell: Deadline | None = None

    def connectionMade(self) -> None:
        """Somebody is at the door."""
        self._deadline = Deadline(self.transport.abortConnection)
        self.factory.around.handshakes.add(self._deadline)

    def dataReceived(self, data: bytes) -> None:
        """Collect the head; then this protocol is not needed any more."""
        if self._deadline is None:
            return  # refused already; what it still sends is nobody's
        begin = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", begin)
        # Both say the same in however many pieces it comes: no head of more than HEAD_BYTES.
        if end + 4 > HEAD_BYTES or (end < 0 and len(self._head) >= HEAD_BYTES):
            self._refuse(b"431 Request Header Fields Too Large", b"the request head has more than 16 KiB")
        elif end >= 0:
            head = self._head[: end + 4]
            if FORGED.search(head):
                self._refuse(b"400 Bad Request", b"the request head holds a character that belongs in none")
            else:
                self._hand_over(is_upgrade=_UPGRADE.search(head) is not None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It went away before it had said what it wanted, or after it was refused."""
        self._forget_deadline()
        if self._farewell is not None:
            self.factory.around.farewells.remove(self._farewell)

    def _hand_over(self, *, is_upgrade: bool) -> None:
        self._forget_deadline()
        factory: Factory[Any] = self.factory.site
        if is_upgrade:
            sockets = self.factory.sockets
            is_socketio = sockets.server.serves(_path(self._head))
            factory = sockets.server.websocket_factory if is_socketio else self.factory.chat
        transport, head, self._head = self.transport, self._head, b""
        protocol = factory.buildProtocol(None)  # neither looks at the address, which takes its time to make
        assert protocol is not None
        put_in_charge(transport, protocol)
        protocol.makeConnection(transport)
        protocol.dataReceived(head)

    def _refuse(self, status: bytes, why: bytes) -> None:
        self._forget_deadline()
        self.transport.write(refusal(status, why, self.factory.headers))
        self.transport.loseConnection()
        # An orderly end waits until the peer has read; this one may never do that.
        self._farewell = Deadline(self.transport.abortConnection)
        self.factory.around.farewells.add(self._farewell)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self.factory.around.handshakes.remove(self._deadline)
            self._deadline = None


def _path(head: bytes) -> bytes:
    """What a request head asks for, without its query."""
    return head.partition(b"\r\n")[0].partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]


def put_in_charge(transport: Transport, protocol: IProtocol) -> None:
    """Make `protocol` the one that gets the transport's bytes. Under TLS the transport is a wrapper."""
    if isinstance(transport, ProtocolWrapper):
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol  # type: ignore[attr-defined]


class FrontDoorFactory(Factory[FrontDoor]):
    """The factory of one listener: chat behind it, and the site.

    :param headers: what each of its own answers carries; like those of the site.
    """

    protocol = FrontDoor
    noisy = False

    def __init__(
        self,
        around: Surroundings,
        chat: ChatWebSocketFactory,
        sockets: ChatSockets,
        site: Site,
        headers: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self.around = around
        self.sockets = sockets
        self.headers = headers or security_headers()
        self.chat = chat
        self.site = site

    def buildProtocol(self, addr: IAddress | None) -> FrontDoor:
        """A protocol for one connection."""
        protocol = FrontDoor()
        protocol.factory = self
        return protocol
