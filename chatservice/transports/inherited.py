"""Sockets that a service manager opened for us and keeps open while we are restarted: nobody is refused.

The protocol is that of sd_listen_fds(3). Twisted's own `systemd:` endpoint loses all but one of several sockets
with the same name (one for IPv4 and one for IPv6, say), and has no TLS.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet import unix
from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import _SystemdParser
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

from chatservice.transports.addresses import is_loopback
from chatservice.transports.endpoints import BACKLOG, BadEndpoint, Listener


@dataclass(frozen=True, slots=True)
class Inherited:
    """What was handed over: pairs of a name and a descriptor."""

    sockets: Sequence[tuple[str, int]] = ()

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> Inherited:
        """What the environment told of when the process began; no child inherits the sockets from us."""
        names = environment.pop("LISTEN_FDNAMES", "").split(":")
        # Twisted looks as soon as its endpoints are imported, and takes the rest out of the environment.
        descriptors = _SystemdParser._sddaemon.inheritedDescriptors()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return cls(tuple(zip(names, descriptors, strict=True)) if descriptors else ())

    @property
    def names(self) -> frozenset[str]:
        """Of all of them."""
        return frozenset(name for name, _ in self.sockets)

    def give(self, listener: Listener) -> Listener:
        """The listener with the sockets of its name, all of them; one without a name is left as it is.

        :raises BadEndpoint: if there is none, or it is none that listens.
        """
        if listener.name is None:
            return listener
        found = tuple(descriptor for name, descriptor in self.sockets if name == listener.name)
        if not found:
            there = ", ".join(sorted(self.names)) or "none at all"
            raise BadEndpoint(f"{listener.endpoint}: no socket of that name was handed over; there is {there}")
        hosts: list[str] = []
        port: int | None = None
        for descriptor in found:
            with socket.socket(fileno=os.dup(descriptor)) as sock:
                if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    raise BadEndpoint(f"{listener.endpoint}: that socket does not listen for connections")
                if sock.family in (socket.AF_INET, socket.AF_INET6):
                    host, port = sock.getsockname()[:2]
                    hosts.append(host)
        public = next((host for host in hosts if not is_loopback(host)), None)
        return replace(
            listener, host=public if public is not None else next(iter(hosts), None), port=port, sockets=found
        )


@implementer(IStreamServerEndpoint)
class InheritedEndpoint:
    """Listens at a socket that listens already."""

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """See `IStreamServerEndpoint`; stopping closes our copy of the socket, and not the socket."""
        return execute(listen_at, self._reactor, self._descriptor, protocolFactory)


def listen_at(reactor: Any, descriptor: int, factory: IProtocolFactory) -> Any:
    """Take up a socket that listens; the port. Stopping it closes our copy, and not the socket."""
    os.set_blocking(descriptor, False)
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        family = sock.family
    if family != socket.AF_UNIX:
        return reactor.adoptStreamPort(descriptor, family, factory)
    port: Any = unix.Port._fromListeningDescriptor(reactor, descriptor, factory)
    # Twisted would give the file another mode, and remove it at the end; it is not ours. What does not begin like
    # a path it leaves alone.
    port._bindPath = b"\0" + port._bindPath
    port._shouldShutdown = False  # nor is the socket, which goes on without us
    port.startListening()
    port.socket.listen(BACKLOG)  # Twisted has just made it 50, whatever the unit says
    return port


def endpoints(listener: Listener, reactor: Any) -> Sequence[IStreamServerEndpoint]:
    """Where to listen: at each socket that was handed over, else at the one place the listener names.

    :raises BadEndpoint: if Twisted does not know it.
    """
    if listener.sockets:
        return [InheritedEndpoint(reactor, descriptor) for descriptor in listener.sockets]
    return [listener.open(reactor)]
