"""The first protocol of every connection to the main port: page, static file, or WebSocket?

It reads one request head and hands the connection, bytes and all, to whoever it is for: an upgrade to
Autobahn, anything else to twisted.web. A WebSocket handshake through twisted.web would cost four times as
much and half as much memory again, and neither of the two bounds a request head in size and in time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.web.server import Site

from chatservice.transports.admission import Refusal
from chatservice.transports.doorkeeper import Doorkeeper, Turned, too_many
from chatservice.transports.head import HeadReader, RawHead
from chatservice.transports.headers import security_headers
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import put_in_charge
from chatservice.transports.websocket import ChatWebSocketFactory
from chatservice.transports.wireview import PATH as WIRE
from chatservice.transports.wireview import WireFactory

_UPGRADE = re.compile(rb"\r\n[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:[ \t]*[Ww][Ee][Bb][Ss][Oo][Cc][Kk][Ee][Tt]")


class FrontDoor(HeadReader):
    """Once the head is there this protocol is not needed any more."""

    factory: FrontDoorFactory

    def headReceived(self, head: bytes, received: bytes) -> None:
        """See `HeadReader.headReceived`."""
        around, is_upgrade = self.around, _UPGRADE.search(head) is not None
        asked = RawHead(head, is_upgrade=is_upgrade)
        if is_upgrade and self._belongs_elsewhere(asked, received):
            return
        try:
            if around.admission.is_full:
                around.admission.refuse_for_want_of_room()
                raise too_many(around, Refusal.TOTAL)
            if is_upgrade:  # all else is judged request by request, see `PageRequest`
                self.factory.doorkeeper.judge(self.transport, asked)
        except Turned as turned:
            self.refuse(turned.status, turned.why, turned.headers)
            return
        self.forget_deadline()
        factory: Factory[Any] = self.factory.site
        if is_upgrade:
            sockets = self.factory.sockets
            if sockets.server.serves(asked.path):
                factory = sockets.server.websocket_factory
            else:
                factory = self.factory.wire if asked.path == WIRE else self.factory.chat
        transport = self.transport
        protocol = factory.buildProtocol(None)  # neither looks at the address, which takes its time to make
        assert protocol is not None
        put_in_charge(transport, protocol)
        protocol.makeConnection(transport)
        protocol.dataReceived(received)

    def _belongs_elsewhere(self, asked: RawHead, received: bytes) -> bool:
        """Whether it is for a Socket.IO session of another worker, which has it now and judges it."""
        sockets = self.factory.sockets
        if sockets.beyond is None or not sockets.server.serves(asked.path):
            return False
        if not sockets.beyond.take_upgrade(asked.target, self.transport, received):
            return False
        self.forget_deadline()
        return True


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
        self.doorkeeper = Doorkeeper(around, chat.manners)
        # So that refused handshakes carry them too; see `LightWebSocket`.
        chat.headers = sockets.server.websocket_factory.headers = self.headers
        self.wire = WireFactory(chat)
        if sockets.beyond is not None:
            sockets.beyond.door = self

    def buildProtocol(self, addr: IAddress | None) -> FrontDoor:
        """A protocol for one connection."""
        protocol = FrontDoor()
        protocol.factory, protocol.around, protocol.headers = self, self.around, self.headers
        return protocol
