"""The other workers of this machine: a request whose Socket.IO session lives with one of them gets there.

The kernel gives each connection to any worker, and one long-polling client makes many. So a session's id says
whose it is (`Options.node`), and each worker listens at a UNIX socket of its own in a directory that nobody
else may open. There a request is asked on behalf of a client, and answered through whom it came by; an
upgrade goes over for good: its connection itself, by SCM_RIGHTS (unix(7)), or, where there is TLS of ours on
it, its bytes.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from twisted.internet.interfaces import IListeningPort, ISSLTransport
from twisted.internet.protocol import Factory
from twisted.web.server import Request

from chatservice.socketio.handshake import read_query
from chatservice.transports.arrival import arrival_of, count_arrivals
from chatservice.transports.handed import Handed
from chatservice.transports.relay import Relay, Relays, as_head
from chatservice.transports.splice import Splice
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport, put_in_charge
from chatservice.wires.quick import direct_way

_NODE = re.compile(r"w[0-9]{1,3}-[0-9]{1,9}")


class Neighbours:
    """The way to them, and theirs to us.

    :param node: our own word.
    :param directory: where the sockets are.
    :ivar relays: requests of clients here that the others are answering.
    :ivar splices: connections of clients here that go on to the others.
    """

    def __init__(self, node: str, directory: Path, reactor: Any) -> None:
        self.node = node
        self.places: list[Beyond] = []
        self.relays = Relays()
        self.splices: set[Splice] = set()
        self._reactor = reactor
        # The address of a socket has room for 107 bytes (unix(7)), which the path may not fit.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def listen(self, around: Surroundings) -> IListeningPort:
        """Let the others reach us."""
        mask = os.umask(0o177)
        try:
            port: Any = self._reactor.listenUNIX(
                self._path(self.node), _Hall(around, self.places, self._reactor), mode=0o600
            )
        finally:
            os.umask(mask)
        count_arrivals(port, around.admission)
        return port  # type: ignore[no-any-return]

    def add_place(self, around: Surroundings) -> Beyond:
        """Make a listener known, which must be done in the same order by all."""
        self.places.append(Beyond(self, len(self.places), around))
        return self.places[-1]

    def reach(self, sid: str) -> socket.socket | None:
        """A connection to the worker that has this session; None if that is us, or gone, or has no room."""
        node = sid.partition(".")[0]
        if node == self.node or not _NODE.fullmatch(node):
            return None
        way = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            way.connect(self._path(node))
        except OSError:
            way.close()
            return None
        return way

    def adopt(self, way: socket.socket, protocol: Any) -> None:
        """Have the reactor look after such a connection."""
        with way:
            self._reactor.adoptStreamConnection(way.fileno(), socket.AF_UNIX, _Only(protocol))

    def leave(self) -> None:
        """We go, and the others stay. What can be answered by them is waited for, see `relays`; a connection that
        is spliced cannot be given away, so its client is to come back."""
        self.relays.are_last = True
        for splice in list(self.splices):
            splice.close()

    def _path(self, node: str) -> str:
        return f"/proc/self/fd/{self._directory}/{node}.sock"


class Beyond:
    """One listener's sessions that live elsewhere. See `socketio.seams.Elsewhere`.

    :ivar door: makes the first protocols of its connections here.
    """

    door: Any = None

    def __init__(self, neighbours: Neighbours, place: int, around: Surroundings) -> None:
        self._neighbours = neighbours
        self._place = place
        self._around = around

    @property
    def node(self) -> str:
        """Our own word, with which the ids of our sessions begin."""
        return self._neighbours.node

    def take(self, sid: str, request: Request, gone: Callable[[], object]) -> bool:
        """See `Elsewhere.take`."""
        way = self._neighbours.reach(sid)
        if way is None:
            return False
        channel: Any = request.channel
        transport = channel.transport
        if (request.getHeader(b"Upgrade") or b"").lower() == b"websocket":

            def leave() -> None:
                channel.setTimeout(None)
                transport.unregisterProducer()

            return self._hand_over(way, transport, as_head(request, upgrades=True), leave)
        content: Any = request.content
        said = self._preface(transport) + as_head(request, upgrades=False) + content.read()
        self._neighbours.adopt(way, Relay(said, request, gone, self._neighbours.relays))
        return True

    def take_upgrade(self, target: bytes, transport: Transport, received: bytes) -> bool:
        """The head of an upgrade has been read, and nothing said yet.

        :param received: all that has come.
        """
        sid = read_query(target.partition(b"?")[2].decode("latin-1")).get("sid")
        way = None if sid is None else self._neighbours.reach(sid)
        return way is not None and self._hand_over(way, transport, received)

    def _hand_over(
        self, way: socket.socket, transport: Any, received: bytes, leave: Callable[[], object] = lambda: None
    ) -> bool:
        """
        :param leave: called once it is sure that the connection goes: whoever has it now leaves it alone then.
        """
        # What is still to be written would be lost.
        arrival = arrival_of(transport)
        if arrival is not None and transport is arrival and direct_way(transport) is not None:
            said = self._preface(transport, len(received)) + received
            with way:
                try:
                    sent = socket.send_fds(way, [said], [arrival.fileno()])
                except OSError:
                    return False
                # Half of it is none: it closes what it was given, and we go on.
                if sent < len(said):
                    return False
            leave()
            arrival.let_go()
            return True
        leave()
        splice = Splice(self._around, transport, self._preface(transport) + received, self._neighbours.splices)
        put_in_charge(transport, splice)
        self._neighbours.adopt(way, splice.other)
        return True

    def _preface(self, transport: Any, n_bytes: int | None = None) -> bytes:
        arrival = arrival_of(transport)
        told: dict[str, Any] = {"place": self._place, "secure": ISSLTransport.providedBy(transport)}
        if arrival is not None:
            told["via"] = arrival.speaks_for
        if n_bytes is not None:
            told["bytes"] = n_bytes
        return orjson.dumps(told) + b"\n"


class _Only(Factory[Any]):
    noisy = False

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: Any) -> Any:
        return self._protocol


class _Hall(Factory[Handed]):
    """Where the others come in."""

    noisy = False

    def __init__(self, around: Surroundings, places: list[Beyond], reactor: Any) -> None:
        self._around, self._places, self._reactor = around, places, reactor

    def buildProtocol(self, addr: Any) -> Handed:
        return Handed(self._around, [place.door for place in self._places], self._reactor)
