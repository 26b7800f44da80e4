"""Autobahn on Twisted as everybody writes it first: sendMessage to each, or sendPreparedMessage.

This is what the chat began as, untouched; it runs on the same Twisted and Autobahn as the chat.
"""

from asked import asked, rooms
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet import endpoints, reactor


class Talk(WebSocketServerProtocol):
    """One connection."""

    def onConnect(self, request):
        """Which room?"""
        self.path = request.path

    def onOpen(self):
        """It is open."""
        rooms[self.path].add(self)

    def onMessage(self, payload, isBinary):
        """Something was said."""
        if self.path == "/echo":
            self.sendMessage(payload, isBinary)
        elif asked.prepared:
            prepared = self.factory.prepareMessage(payload, isBinary)
            for other in rooms[self.path]:
                other.sendPreparedMessage(prepared)
        else:
            for other in rooms[self.path]:
                other.sendMessage(payload, isBinary)

    def onClose(self, wasClean, code, reason):
        """It is gone."""
        rooms[getattr(self, "path", "")].discard(self)


def accept(offers):
    """permessage-deflate, as the peer asks for it."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


factory = WebSocketServerFactory()
factory.protocol = Talk
factory.setProtocolOptions(tcpNoDelay=True)
if asked.deflate:
    factory.setProtocolOptions(perMessageCompressionAccept=accept)
where = f"tcp:{asked.port}:interface=127.0.0.1:backlog=4096"
if asked.tls:
    where = f"ssl:{asked.port}:interface=127.0.0.1:certKey={asked.tls[0]}:privateKey={asked.tls[1]}"
endpoints.serverFromString(reactor, where).listen(factory)
reactor.run()
