"""The first thing at every listener, before TLS and any protocol: may this address connect, and whose is it?"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from chatservice.transports.arrival import arrival_of, host_of
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport, put_in_charge
from chatservice.transports.watch import Deadline
from chatservice.wires.proxied import BadProxyHeader, Proxied, read_proxied


class Gate(Factory[Any]):
    """Sends away those who are too many, by closing what was just accepted.

    :param factory: whose protocols the others get.
    :param proxied: trusted proxies begin each connection with a header of the PROXY protocol. From anybody else
        that is what it looks like: no HTTP.
    """

    noisy = False

    def __init__(self, around: Surroundings, factory: IProtocolFactory, *, proxied: bool = False) -> None:
        self.around = around
        self.factory: Any = factory
        self._proxied = proxied

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:
        """A protocol for one connection, or None."""
        host, admission = host_of(addr), self.around.admission
        if admission.knock(host) is not None:
            return None
        if self._proxied and host in admission.trusted:
            return Preface(self.around, self.factory, addr)
        protocol: IProtocol | None = self.factory.buildProtocol(addr)
        return protocol

    def doStart(self) -> None:
        """See `IProtocolFactory`."""
        self.factory.doStart()

    def doStop(self) -> None:
        """See `IProtocolFactory`."""
        self.factory.doStop()

    def logPrefix(self) -> str:
        """See `ILoggingContext`."""
        return str(self.factory.logPrefix())


class Preface(Protocol):
    """Waits for the PROXY header of one connection; then this protocol is not needed any more."""

    transport: Transport  # type: ignore[assignment]

    def __init__(self, around: Surroundings, factory: Any, address: IAddress | None) -> None:
        self._around = around
        self._then = factory
        self._address = address
        self._begun = b""
        self._deadline: Deadline | None = None

    def connectionMade(self) -> None:
        """A proxy is there."""
        self._deadline = Deadline(self.transport.abortConnection)
        self._around.handshakes.add(self._deadline)

    def dataReceived(self, data: bytes) -> None:
        """Collect the header."""
        if self._deadline is None:
            return
        self._begun += data
        try:
            header = read_proxied(self._begun)
        except BadProxyHeader:
            self._around.counted.bad_proxy_headers += 1
            self._cut()
        else:
            if header is not None:
                self._go_on(header)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It went away before it had said whom it brings."""
        self._forget_deadline()

    def _go_on(self, header: Proxied) -> None:
        transport, rest = self.transport, self._begun[header.size :]
        arrival = arrival_of(transport)
        if header.host is not None and (arrival is None or arrival.bring(header.host, header.port) is not None):
            self._cut()
            return
        self._forget_deadline()
        protocol = self._then.buildProtocol(self._address)
        put_in_charge(transport, protocol)
        protocol.makeConnection(transport)
        if rest:
            protocol.dataReceived(rest)

    def _cut(self) -> None:
        self._forget_deadline()
        self.transport.abortConnection()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._around.handshakes.remove(self._deadline)
            self._deadline = None
