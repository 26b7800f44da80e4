"""What another worker hands over: a request to be answered, or a connection that is ours from now on."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from twisted.internet.interfaces import IFileDescriptorReceiver, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from chatservice.transports.admission import Admission
from chatservice.transports.arrival import Arrival, TCPArrival, UNIXArrival, arrival_of
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport, put_in_charge

PREFACE_BYTES = 1024
"""The line before it: `{"place":0,"via":["192.0.2.1",50123],"secure":false}`."""


@dataclass(frozen=True, slots=True)
class _Port:
    """Which listening port a connection came by, as far as Twisted wants to know."""

    admission: Admission
    _realPortNumber: int = 0


@implementer(IFileDescriptorReceiver)
class Handed(Protocol):
    """One connection of another worker. Once the line is read, the listener's own first protocol goes on, as
    if the client had come here: it judges the request anew, for the address that the line names."""

    transport: Transport  # type: ignore[assignment]

    def __init__(self, around: Surroundings, doors: list[Any], reactor: Any) -> None:
        self._around, self._doors, self._reactor = around, doors, reactor
        self._said = b""
        self._socket: socket.socket | None = None
        self._is_done = False

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """See `IFileDescriptorReceiver`; there is one at most."""
        if self._socket is not None or self._is_done:
            os.close(descriptor)
        else:
            self._socket = socket.socket(fileno=descriptor)

    def dataReceived(self, data: bytes) -> None:
        """Collect the line, and what a connection had said already."""
        if self._is_done:
            return
        self._said += data
        line, end, rest = self._said.partition(b"\n")
        if not end and len(self._said) < PREFACE_BYTES:
            return
        try:
            told = orjson.loads(line)
            door = self._doors[told["place"]]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            self._end()
            return
        if self._socket is None:
            self._is_done = True
            self._answer_here(door, told, rest)
        elif len(rest) >= told.get("bytes", 0):
            self._adopt(door, told, rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Before all was said: then nothing was."""
        self._is_done = True
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _answer_here(self, door: Any, told: dict[str, Any], rest: bytes) -> None:
        transport = self.transport
        _introduce(transport, told)
        protocol = door.buildProtocol(None)
        put_in_charge(transport, protocol)
        protocol.makeConnection(transport)
        if rest:
            protocol.dataReceived(rest)

    def _adopt(self, door: Any, told: dict[str, Any], rest: bytes) -> None:
        sock, self._socket = self._socket, None
        assert sock is not None
        try:
            sock.setblocking(False)
            kind, client = TCPArrival, sock.getpeername()
        except OSError:  # it has gone meanwhile
            sock.close()
            self._end()
            return
        if sock.family == socket.AF_UNIX:
            kind, client = UNIXArrival, None  # type: ignore[assignment]
        protocol = door.buildProtocol(None)
        transport: Any = kind(sock, protocol, client, _Port(self._around.admission), 0, self._reactor)
        _introduce(transport, told)
        protocol.makeConnection(transport)
        protocol.dataReceived(rest)
        self._end()

    def _end(self) -> None:
        self._is_done = True
        self.transport.loseConnection()


def _introduce(transport: Any, told: dict[str, Any]) -> None:
    arrival = arrival_of(transport)
    if isinstance(arrival, Arrival) and told.get("via"):
        host, port = told["via"]
        arrival.stand_for(str(host), int(port))
    if told.get("secure"):
        with suppress(TypeError):
            alsoProvides(transport, ISSLTransport)
