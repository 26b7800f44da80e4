"""The part of a Twisted TCP or TLS transport that a peer's connection uses."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IAddress, IProtocol
from twisted.protocols.policies import ProtocolWrapper


class Transport(Protocol):
    """`ITCPTransport` with the producer's and consumer's side that every real one has."""

    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def getPeer(self) -> IAddress: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def registerProducer(self, producer: object, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...


def put_in_charge(transport: Transport, protocol: IProtocol) -> None:
    """Make `protocol` the one that gets the transport's bytes. Under TLS the transport is a wrapper."""
    if isinstance(transport, ProtocolWrapper):
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol  # type: ignore[attr-defined]
