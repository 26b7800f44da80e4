"""One client in one namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatservice.socketio.acks import Answer, Asked
from chatservice.socketio.errors import FORCED_CLOSE, RECOVERABLE, SERVER_LEFT
from chatservice.socketio.event import Event
from chatservice.socketio.handshake import Handshake, read_query
from chatservice.socketio.packet import ACK, DISCONNECT, encode
from chatservice.socketio.recovery import Saved

if TYPE_CHECKING:
    from chatservice.socketio.connection import Connection
    from chatservice.socketio.namespace import Namespace

ACK_TIMEOUT_S = 20.0


class Socket:
    """See the module. Functions of an application are given these.

    :ivar id: public; clients know it too. It is in a room of this name.
    :ivar auth: what the client gave with its connect; `{}` if nothing. Clients 1.x and 2.x have only `query`.
    :ivar data: free for the application; comes back with a recovered socket.
    :ivar rooms: those it is in.
    :ivar connected: False once it is gone.
    :ivar recovered: it is one that was lost, and has been told what it missed.
    """

    __slots__ = (
        "_asked",
        "_connection",
        "auth",
        "began",
        "connected",
        "data",
        "id",
        "namespace",
        "nsp_query",
        "pid",
        "recovered",
        "rooms",
        "session",
    )

    def __init__(
        self, namespace: Namespace, connection: Connection, id: str, auth: Mapping[str, Any], nsp_query: str
    ) -> None:
        self.namespace = namespace
        self.session = connection.session
        self.id = id
        self.auth = auth
        self.nsp_query = nsp_query
        self.data: dict[str, Any] = {}
        self.rooms: dict[str, int] = {}
        self.connected = True
        self.recovered = False
        self.pid: str | None = None
        self.began = 0
        self._connection = connection
        self._asked: dict[int, tuple[Callable[[Answer], None], Asked]] = {}

    def __repr__(self) -> str:
        return f"<Socket {self.id} in {self.namespace.name}>"

    @property
    def handshake(self) -> Handshake:
        """The request that began the connection."""
        found: Handshake = self.session.handshake
        return found

    @property
    def query(self) -> dict[str, str]:
        """The query of the URL, and above it that of the namespace (`40/custom?token=…`, Socket.IO v4)."""
        return {**self.handshake.query, **read_query(self.nsp_query)}

    @property
    def waiting_bytes(self) -> int:
        """What waits to be sent to this client, about."""
        return self.session.waiting_bytes

    # --- saying ---

    def emit(self, event: str, *arguments: Any, volatile: bool = False) -> None:
        """Send an event to this client.

        :param volatile: only if it can go out at once.
        :raises TypeError: if the arguments cannot be said in JSON with bytes.
        """
        self.send(Event(self.namespace.name, event, arguments), volatile=volatile)

    def send(self, event: Event, *, volatile: bool = False) -> None:
        """Send an event that was made before, by `Namespace.event`. Never raises."""
        self.namespace.send_to_one(self, event, volatile=volatile)

    def broadcast(self, event: str, *arguments: Any, to: str | Iterable[str] | None = None) -> None:
        """Send an event to all others, or to all others in these rooms."""
        self.namespace.emit(event, *arguments, to=to, except_=self.id)

    def call(self, event: str, *arguments: Any, timeout_s: float | None = ACK_TIMEOUT_S) -> Deferred[Answer]:
        """Send an event and ask for an acknowledgement.

        :return: a Deferred of the arguments that the client acknowledged with; fails with `AckTimeout`.
        :raises TypeError: if the arguments cannot be said in JSON with bytes.
        """
        acks = self.namespace.acks
        id = acks.new_id()
        packet = Event(self.namespace.name, event, arguments, id)
        asked = acks.ask(id, 1, timeout_s)
        self.expect(asked)
        if self.connected:
            self.send(packet)
        else:
            asked.gone()
        return asked.result.addCallback(lambda answers: answers[0])

    def expect(self, asked: Asked) -> None:
        """An acknowledgement is going to come."""
        answered = asked.expect(lambda id: self._asked.pop(id, None))
        if self.connected:
            self._asked[asked.id] = (answered, asked)

    # --- rooms ---

    def join(self, *rooms: str) -> None:
        """Be in these rooms."""
        if self.connected:
            for room in rooms:
                self.namespace.join(self, room)

    def leave(self, room: str) -> None:
        """Be in it no more; harmless if it was not."""
        self.namespace.leave(self, room)

    def disconnect(self, *, close: bool = False) -> None:
        """Send it away from this namespace.

        :param close: end the whole connection.
        """
        if not self.connected:
            return
        if close:
            self.session.close(FORCED_CLOSE)
        else:
            self.session.push(encode(DISCONNECT, self.namespace.name))
            self._connection.drop(self, SERVER_LEFT)

    # --- for the connection and the namespace ---

    def acknowledge(self, id: int, result: object) -> None:
        """Answer the client: nothing for None, several values for a tuple, else one."""
        if self.connected:
            values = [] if result is None else list(result) if isinstance(result, tuple) else [result]
            self.session.push(encode(ACK, self.namespace.name, id, values))

    def acknowledged(self, id: int, answer: Answer) -> None:
        """The client answered. What nobody asked for is ignored."""
        found = self._asked.pop(id, None)
        if found is not None:
            found[0](answer)

    def gone(self, reason: str) -> Saved | None:
        """It has left. What it was, if it may come back."""
        self.connected = False
        asked, self._asked = self._asked, {}
        for _, each in asked.values():
            each.gone()
        if self.pid is None or reason not in RECOVERABLE:
            return None
        return Saved(self.id, self.pid, self.began, dict(self.rooms), self.data, 0.0)
