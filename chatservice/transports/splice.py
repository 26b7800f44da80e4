"""Two connections as one: what comes from either goes to the other, no faster than that takes it."""

from __future__ import annotations

from collections.abc import MutableSet
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.watch import Deadline


class Splice(Protocol):
    """The client's end.

    :param transport: the client's connection; nothing is read from it before the other end is there.
    :param said: what the other end is told first.
    :param among: has this one as long as the client is there.
    :ivar other: the protocol of the other end.
    :ivar is_over: the client has gone.
    """

    def __init__(self, around: Surroundings, transport: Transport, said: bytes, among: MutableSet[Splice]) -> None:
        self._around = around
        self._among = among
        among.add(self)
        self._farewell: Deadline | None = None
        self.is_over = False
        self.other = _Other(self, said)
        self.transport: Any = transport
        self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        """On to the other end."""
        self.other.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Then the other one ends too."""
        self.is_over = True
        self._among.discard(self)
        if self._farewell is not None:
            self._around.farewells.remove(self._farewell)
        if self.other.transport is not None:
            self.other.transport.loseConnection()

    def end(self) -> None:
        """The other end has ended. An orderly end waits until the peer has read; this one may never do that."""
        if self._farewell is not None:
            return
        self.transport.unregisterProducer()
        self.transport.resumeProducing()  # or its end would not be seen
        self.transport.loseConnection()
        self._farewell = Deadline(self.transport.abortConnection)
        self._around.farewells.add(self._farewell)

    def close(self) -> None:
        """End both in good order: each gets what is on its way to it."""
        self.end()
        if self.other.transport is not None:
            self.other.transport.unregisterProducer()
            self.other.transport.loseConnection()


class _Other(Protocol):
    transport: Any = None

    def __init__(self, splice: Splice, said: bytes) -> None:
        self._splice = splice
        self._said = said

    def connectionMade(self) -> None:
        client = self._splice.transport
        self.transport.registerProducer(client, True)
        client.registerProducer(self.transport, True)
        self.transport.write(self._said)
        client.resumeProducing()

    def dataReceived(self, data: bytes) -> None:
        self._splice.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._splice.is_over:
            self._splice.end()
