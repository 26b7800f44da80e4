"""The server's end of a connection: counted by address while it lives, and speaking for whom a proxy brings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import abstract, tcp, unix
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import provider

from chatservice.transports.addresses import is_loopback
from chatservice.transports.admission import Admission, Refusal
from chatservice.transports.networks import LOCAL, Networks


class Arrival:
    """What a transport is beside a transport. One method of it is Twisted's: who asks for the peer gets the one
    that a trusted proxy speaks for, so that nobody above has to know of proxies.
    """

    _admission: Admission | None = None
    _key: str | None = None
    _proxied: IAddress | None = None
    _forwarded: IAddress | None = None
    fileno: Callable[[], int]

    def arrive(self, admission: Admission) -> None:
        """It has begun."""
        self._admission = admission
        key = admission.enter(self.via)
        if key is not None:
            self._key = key

    def depart(self) -> None:
        """It has ended; a second time says nothing."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.leave(self._key)

    def getPeer(self) -> IAddress:
        """Whose connection it is."""
        peer: IAddress = self._forwarded or self._proxied or super().getPeer()  # type: ignore[misc]
        return peer

    @property
    def via(self) -> str:
        """The address of who speaks to us: a proxy's own, unless that said in a PROXY header whom it brings."""
        return host_of(self._proxied or super().getPeer())  # type: ignore[misc]

    def bring(self, host: str, port: int) -> Refusal | None:
        """A PROXY header has told whose connection it is.

        :returns: why that one is not let in.
        """
        refusal = self._speak_for(host, connects=True)
        if refusal is None:
            self._proxied = _address(host, port)
        return refusal

    @property
    def speaks_for(self) -> tuple[str, int] | None:
        """What a PROXY header, or nobody, has told: address and port to be believed without asking again."""
        peer: Any = self._proxied or super().getPeer()  # type: ignore[misc]
        host = host_of(peer)
        return None if host == LOCAL else (host, int(peer.port))

    def stand_for(self, host: str, port: int) -> None:
        """Another worker, which has let it in, has told whose connection it is."""
        if self._admission is not None:
            self._admission.leave(self._key)
            self._key = self._admission.enter(host)
        self._proxied = _address(host, port)

    def forward(self, host: str, *, connects: bool) -> Refusal | None:
        """A request has told whose it is; the next one on the same connection may be another's.

        :param connects: whether it begins something that stays.
        :returns: why that one is not let in.
        """
        if not connects and self._forwarded is not None and host_of(self._forwarded) == host:
            return None
        refusal = self._speak_for(host, connects=connects)
        if refusal is None:
            self._forwarded = _address(host, 0)
        return refusal

    def forget(self) -> None:
        """A request has not told whose it is: it is the proxy's own, whoever had the connection before."""
        if self._forwarded is not None:
            self._forwarded = None
            if self._admission is not None:
                self._admission.leave(self._key)
                self._key = self._admission.enter(self.via)

    def _speak_for(self, host: str, *, connects: bool) -> Refusal | None:
        admission = self._admission
        if admission is None:
            return None
        admission.leave(self._key)  # whoever had it before does not need it any more
        refusal = admission.knock(host, connects=connects)
        self._key = admission.enter(self.via if refusal is not None else host)
        return refusal

    def let_go(self) -> None:
        """Another process has the connection now: forget it here, and do nothing to it."""
        self.depart()
        transport: Any = self
        abstract.FileDescriptor.connectionLost(transport, Failure(ConnectionDone()))
        transport.connected = 0
        transport.socket.close()
        del transport.protocol, transport.socket, transport.fileno


class TCPArrival(Arrival, tcp.Server):
    """Over TCP."""

    def __init__(self, *arguments: Any) -> None:
        tcp.Server.__init__(self, *arguments)
        self.arrive(self.server.admission)  # type: ignore[attr-defined]

    def connectionLost(self, reason: Failure) -> None:
        """See `ITransport`."""
        self.depart()
        tcp.Server.connectionLost(self, reason)


class UNIXArrival(Arrival, unix.Server):
    """Over a UNIX socket."""

    def __init__(self, *arguments: Any) -> None:
        unix.Server.__init__(self, *arguments)
        self.arrive(self.server.admission)  # type: ignore[attr-defined]

    def connectionLost(self, reason: Failure) -> None:
        """See `ITransport`."""
        self.depart()
        unix.Server.connectionLost(self, reason)


def count_arrivals(port: Any, admission: Admission) -> None:
    """Let a listening port make such ends of the connections it accepts, and say now and then that it cannot."""

    @provider(ILogObserver)
    def spare(event: LogEvent) -> None:
        # Where descriptors are all in use, it would write a line and more for each who knocks.
        admission.cannot_accept(str(event.get("acceptError", "EMFILE")))

    port._logger = Logger("twisted.internet.tcp.Port", observer=spare)
    arrival = {tcp.Server: TCPArrival, unix.Server: UNIXArrival}.get(port.transport)
    if arrival is not None:
        port.transport, port.admission = arrival, admission


def arrival_of(transport: Any) -> Arrival | None:
    """The connection's end below all wrappers; None where it is not one of ours."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport if isinstance(transport, Arrival) else None


def is_private(transport: Any, trusted: Networks) -> bool:
    """Whether nobody on the way can read along: TLS, or the other end is on this computer or a proxy of ours."""
    if ISSLTransport.providedBy(transport):
        return True
    arrival = arrival_of(transport)
    via = host_of(transport.getPeer()) if arrival is None else arrival.via
    return via == LOCAL or is_loopback(via) or via in trusted


def host_of(address: Any) -> str:
    """An address without its port; `local` for a UNIX socket."""
    return str(getattr(address, "host", LOCAL))


def _address(host: str, port: int) -> IAddress:
    address: IAddress = (IPv6Address if ":" in host else IPv4Address)("TCP", host, port)
    return address
