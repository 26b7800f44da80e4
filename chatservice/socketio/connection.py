"""One Socket.IO connection: what an Engine.IO session is to the namespaces."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatservice.socketio.errors import CLIENT_LEFT, FORCED_CLOSE, BadPacket, ConnectionRefused
from chatservice.socketio.event import Event
from chatservice.socketio.house import House
from chatservice.socketio.namespace import Namespace
from chatservice.socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Decoder, Packet, encode
from chatservice.socketio.session import Session
from chatservice.socketio.settle import settle
from chatservice.socketio.socket import Socket

if TYPE_CHECKING:
    from chatservice.socketio.deadlines import Deadline

ALL_NAMESPACES = 64
"""One connection joins no more of them, and tries no more at once: a middleware may take its time."""


class Connection:
    """See the module; a session's `Handler`."""

    __slots__ = ("_connecting", "_decoder", "_due", "_house", "_namespaces", "session", "sockets")

    def __init__(self, house: House, namespaces: Mapping[str, Namespace], session: Session) -> None:
        self.session = session
        self.sockets: dict[str, Socket] = {}
        self._house = house
        self._namespaces = namespaces
        self._connecting: set[str] = set()
        self._decoder = Decoder()
        self._due: Deadline[Any] | None = None
        self._expect_join()
        if session.version == 3:
            self._connect(Packet(CONNECT))  # in Socket.IO v4 the server joins its clients to `/` unasked

    # --- Handler ---

    def message(self, data: str | bytes) -> None:
        """See `Handler.message`."""
        packet = self._decoder.add(data)
        if packet is None:
            return
        socket = self.sockets.get(packet.namespace)
        if packet.type == CONNECT:
            self._connect(packet)
        elif socket is None:
            # A v4 client does not wait for an answer before it sends, and may have been refused meanwhile.
            if packet.type == DISCONNECT:
                self._connecting.discard(packet.namespace)
            elif self.session.version == 4:
                raise BadPacket("a packet for a namespace that was not joined")
        elif packet.type == EVENT:
            self._hear(socket, packet)
        elif packet.type == ACK:
            assert packet.id is not None
            socket.acknowledged(packet.id, packet.data)
        else:
            self.drop(socket, CLIENT_LEFT)

    def closed(self, reason: str) -> None:
        """See `Handler.closed`."""
        self._connecting.clear()
        if self._due is not None:
            self._due.cancel()
        for socket in list(self.sockets.values()):
            self.drop(socket, reason)

    def pressed(self, is_pressed: bool) -> None:
        """See `Handler.pressed`."""
        for socket in list(self.sockets.values()):
            self._tell(socket, "pressure", is_pressed)

    # --- joining a namespace ---

    def _connect(self, packet: Packet) -> None:
        name = packet.namespace
        if name in self.sockets or name in self._connecting:
            if self.session.version == 4:
                raise BadPacket("joined already")
            return
        namespace = self._namespaces.get(name)
        if namespace is None:
            self._refuse(name, ConnectionRefused("Invalid namespace"))
            return
        if len(self.sockets) + len(self._connecting) >= ALL_NAMESPACES:
            raise BadPacket("too many namespaces")
        auth: Mapping[str, Any] = packet.data if isinstance(packet.data, dict) else {}
        if self._house.options.recovery_skips_middleware and self._recover(namespace, auth):
            return
        # Not the session's sid: that one is a secret, and an id is told to others. Clients 1.x and 2.x take the
        # sid for their id all the same; nothing on the wire depends on it.
        id = secrets.token_urlsafe(15)
        self._connecting.add(name)
        self._ask(Socket(namespace, self, id, auth, packet.query), 0)

    def _recover(
        self, namespace: Namespace, auth: Mapping[str, Any], data: Mapping[str, Any] | None = None
    ) -> bool:
        """Join as the socket that was lost, if this is one.

        :param data: goes above what the lost one had.
        """
        found = namespace.recover(self, auth) if self.session.version == 4 else None
        if found is None:
            return False
        socket, missed = found
        socket.data.update(data or {})
        self._join(socket, missed)
        return True

    def _ask(self, socket: Socket, number: int) -> None:
        """One middleware after the other."""
        name = socket.namespace.name
        if name not in self._connecting:
            return  # it has gone away meanwhile
        if number == len(socket.namespace.middlewares):
            self._connecting.discard(name)
            is_asked_first = not self._house.options.recovery_skips_middleware
            if not (is_asked_first and self._recover(socket.namespace, socket.auth, socket.data)):
                self._join(socket, [])
            return

        def refused(why: BaseException) -> None:
            if name in self._connecting:
                self._connecting.discard(name)
                if not isinstance(why, ConnectionRefused):
                    self._house.report(why)
                    why = ConnectionRefused("Internal error")
                self._refuse(name, why)

        settle(
            socket.namespace.middlewares[number],
            (socket,),
            lambda _: self._ask(socket, number + 1),
            refused,
            self._house.report,
        )

    def _join(self, socket: Socket, missed: list[Event]) -> None:
        namespace = socket.namespace
        self.sockets[namespace.name] = socket
        namespace.add(socket)
        if self._due is not None:
            self._due.cancel()
            self._due = None
        # The client keeps what comes before the answer, and delivers it once it knows that it was recovered.
        if namespace.recovery is not None:
            offset = namespace.recovery.offset
            for event in missed:
                self.session.push(event.marked(offset))
        answer = None
        if self.session.version == 4:
            answer = {"sid": socket.id} if socket.pid is None else {"sid": socket.id, "pid": socket.pid}
        self.session.push(encode(CONNECT, namespace.name, None, answer))
        self._tell(socket, "connect")

    def _refuse(self, name: str, why: ConnectionRefused) -> None:
        told: object = why.message
        if self.session.version == 4:
            told = {"message": why.message} if why.data is None else {"message": why.message, "data": why.data}
        self.session.push(encode(CONNECT_ERROR, name, None, told))

    def _expect_join(self) -> None:
        """Whoever is in no namespace joins one in time, or is sent away."""
        if self._due is None and not self.session.closed:
            self._due = self._house.connects.add(self._nothing_joined)

    def _nothing_joined(self) -> None:
        self._due = None
        if self._connecting:
            self._expect_join()  # a middleware takes its time
        elif not self.sockets:
            self.session.close(FORCED_CLOSE)

    # --- what sockets hear ---

    def _hear(self, socket: Socket, packet: Packet) -> None:
        name, *arguments = packet.data
        id, receiver = packet.id, socket.namespace.receiver
        if receiver is not None:
            receiver(
                socket, str(name), arguments, None if id is None else lambda result: socket.acknowledge(id, result)
            )
            return
        functions = socket.namespace.functions
        function = functions.find(name)
        if function is None:
            function, arguments = functions.every, packet.data
        if function is None:
            return
        settle(
            function,
            (socket, *arguments),
            (lambda result: socket.acknowledge(id, result)) if id is not None else _nothing,
            self._house.report,
            self._house.report,
        )

    def drop(self, socket: Socket, reason: str) -> None:
        """It leaves its namespace; the connection stays."""
        if self.sockets.pop(socket.namespace.name, None) is not None:
            socket.namespace.remove(socket, reason)
            if not self.sockets:
                self._expect_join()
            self._tell(socket, "disconnect", reason)

    def _tell(self, socket: Socket, event: str, *arguments: object) -> None:
        function = socket.namespace.functions.find(event)
        if function is not None:
            settle(function, (socket, *arguments), _nothing, self._house.report, self._house.report)


def _nothing(_result: object) -> None:
    """Nobody waits for it."""
