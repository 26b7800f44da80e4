"""A namespace: its sockets, their rooms, and what is said in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatservice.socketio.acks import Acks, Answer
from chatservice.socketio.errors import TRANSPORT_CLOSE
from chatservice.socketio.event import Event
from chatservice.socketio.functions import Function, Functions
from chatservice.socketio.house import House
from chatservice.socketio.recovery import Recovery
from chatservice.socketio.socket import ACK_TIMEOUT_S, Socket

if TYPE_CHECKING:
    from chatservice.socketio.connection import Connection

Rooms = str | Iterable[str] | None
Middleware = Callable[[Socket], Any]
Receiver = Callable[[Socket, str, list[Any], Callable[[object], None] | None], object]


class Namespace:
    """See the module.

    :ivar name: `/` or `/something`.
    :ivar sockets: those connected, by id.
    """

    def __init__(self, name: str, house: House) -> None:
        self.name = name
        self.sockets: dict[str, Socket] = {}
        self.acks = Acks(house.call_later)
        self.functions = Functions()
        self.middlewares: list[Middleware] = []
        self.receiver: Receiver | None = None
        self._house = house
        self._rooms: dict[str, dict[Socket, None]] = {}
        self.recovery = Recovery(house.options, house.now) if house.options.recovery_s > 0 else None
        self._by_pid: dict[str, Socket] = {}

    # --- what an application registers ---

    def on(self, event: str) -> Callable[[Function], Function]:
        """Register a function for an event of the clients: it is called with the socket and the arguments,
        and what it returns (or its coroutine, or Deferred) acknowledges it. Also `connect` (socket), `disconnect`
        (socket, reason), `pressure` (socket, bool) and `*` (socket, event, …) for what no other function hears.

        :raises ValueError: if there is one for it.
        """
        return self.functions.on(event)

    def hear_all(self, receiver: Receiver) -> Receiver:
        """Register one function for all events of the clients, instead of those registered by `on`.

        It is called with the socket, the event's name, the list of its arguments, and a function that acknowledges
        with a value, or None if the client asks for no acknowledgement.
        """
        self.receiver = receiver
        return receiver

    def use(self, middleware: Middleware) -> Middleware:
        """Ask this function, after those registered before, whether a socket may connect. It may answer later.
        `ConnectionRefused` is told to the client; any other error refuses as well, without a reason."""
        self.middlewares.append(middleware)
        return middleware

    # --- saying ---

    def event(self, event: str, *arguments: Any) -> Event:
        """An event to be sent later, or to several.

        :raises TypeError: if the arguments cannot be said in JSON with bytes.
        """
        return Event(self.name, event, arguments)

    def emit(
        self, event: str, *arguments: Any, to: Rooms = None, except_: Rooms = None, volatile: bool = False
    ) -> None:
        """Send an event to all, or to those in a room.

        :param to: a room or a socket's id, or several; None for everybody.
        :param except_: those in these rooms, or with these ids, do not get it.
        :param volatile: only whom it can reach at once.
        :raises TypeError: if the arguments cannot be said in JSON with bytes.
        """
        self.send(Event(self.name, event, arguments), to=to, except_=except_, volatile=volatile)

    def send(self, event: Event, *, to: Rooms = None, except_: Rooms = None, volatile: bool = False) -> None:
        """`emit` for an event that was made before. Never raises."""
        rooms, left_out = _names(to), _names(except_) or frozenset()
        if self.recovery is not None and not volatile and not event.asks:
            self.recovery.add(event, rooms, left_out)
        self._push(event, self._select(rooms, left_out), volatile)

    def send_to_one(self, socket: Socket, event: Event, *, volatile: bool) -> None:
        """See `Socket.send`."""
        if self.recovery is not None and not volatile and not event.asks and socket.pid is not None:
            self.recovery.add(event, frozenset((socket.id,)))
        if socket.connected:
            self._push(event, (socket,), volatile)

    def call_all(
        self,
        event: str,
        *arguments: Any,
        to: Rooms = None,
        except_: Rooms = None,
        timeout_s: float | None = ACK_TIMEOUT_S,
    ) -> Deferred[list[Answer]]:
        """Send an event and ask everyone who gets it for an acknowledgement.

        :return: a Deferred of all answers; fails with `AckTimeout`, which holds those that came, if anybody is
            late or leaves without one.
        :raises TypeError: if the arguments cannot be said in JSON with bytes.
        """
        id = self.acks.new_id()
        packet = Event(self.name, event, arguments, id)
        sockets = self._select(_names(to), _names(except_) or frozenset())
        asked = self.acks.ask(id, len(sockets), timeout_s)
        for socket in sockets:
            socket.expect(asked)
        self._push(packet, sockets, volatile=False)
        return asked.result

    def _push(self, event: Event, sockets: Iterable[Socket], volatile: bool) -> None:
        packet = event.packet
        if self.recovery is not None:
            offset = self.recovery.offset
            for socket in sockets:
                if not volatile or socket.session.is_writable:
                    socket.session.push(packet if socket.pid is None else event.marked(offset))
        elif volatile:
            for socket in sockets:
                if socket.session.is_writable:
                    socket.session.push(packet)
        else:
            for socket in sockets:
                socket.session.push(packet)

    def _select(self, rooms: frozenset[str] | None, left_out: frozenset[str]) -> list[Socket]:
        """A list of its own: what is sent may have an end as its consequence."""
        if rooms is None:
            found: Iterable[Socket] = self.sockets.values()
        elif len(rooms) == 1:
            (room,) = rooms
            found = self._in(room)
        else:
            found = {socket: None for room in rooms for socket in self._in(room)}
        if not left_out:
            return list(found)
        without = {socket for room in left_out for socket in self._in(room)}
        return [socket for socket in found if socket not in without]

    def _in(self, room: str) -> Iterable[Socket]:
        """A socket is in the room of its id without being listed there."""
        socket = self.sockets.get(room)
        members = self._rooms.get(room)
        if socket is None:
            return members or ()
        return (socket,) if members is None else {socket: None, **members}

    # --- rooms ---

    def members(self, room: str) -> list[Socket]:
        """Who is in it."""
        return list(self._in(room))

    def join(self, socket: Socket, room: str) -> None:
        """See `Socket.join`."""
        if room not in socket.rooms:
            socket.rooms[room] = 0 if self.recovery is None else self.recovery.position
            if room != socket.id:
                self._rooms.setdefault(room, {})[socket] = None

    def leave(self, socket: Socket, room: str) -> None:
        """See `Socket.leave`."""
        if socket.connected and socket.rooms.pop(room, None) is not None:
            self._forget(socket, room)

    def _forget(self, socket: Socket, room: str) -> None:
        members = self._rooms.get(room)
        if members is not None:
            members.pop(socket, None)
            if not members:
                del self._rooms[room]

    # --- coming and going ---

    def add(self, socket: Socket) -> None:
        """A new socket is in."""
        self.sockets[socket.id] = socket
        if self.recovery is not None and socket.session.version == 4:
            if socket.pid is None:
                socket.pid = self.recovery.new_pid()
                socket.began = self.recovery.position
            self._by_pid[socket.pid] = socket
        self.join(socket, socket.id)

    def remove(self, socket: Socket, reason: str) -> None:
        """A socket is gone."""
        self.sockets.pop(socket.id, None)
        for room in socket.rooms:
            self._forget(socket, room)
        saved = socket.gone(reason)
        if socket.pid is not None:
            self._by_pid.pop(socket.pid, None)
            if saved is not None and self.recovery is not None:
                saved.lost_at = self._house.now()
                self.recovery.save(saved)

    def recover(self, connection: Connection, auth: Mapping[str, Any]) -> tuple[Socket, list[Event]] | None:
        """The lost socket that wants to come back, and what it missed, oldest first."""
        pid, offset = auth.get("pid"), auth.get("offset")
        if self.recovery is None or not isinstance(pid, str) or not (offset is None or isinstance(offset, str)):
            return None
        still_here = self._by_pid.get(pid)
        if still_here is not None:
            still_here.session.close(TRANSPORT_CLOSE)
        found = self.recovery.restore(pid, offset)
        if found is None:
            return None
        saved, missed = found
        socket = Socket(self, connection, saved.id, auth, "")
        socket.pid, socket.began, socket.data, socket.recovered = saved.pid, saved.began, saved.data, True
        for room, position in saved.rooms.items():
            self.join(socket, room)
            socket.rooms[room] = position
        return socket, missed


def _names(rooms: Rooms) -> frozenset[str] | None:
    if rooms is None:
        return None
    return frozenset((rooms,)) if isinstance(rooms, str) else frozenset(rooms)
