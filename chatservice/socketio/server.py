"""`SocketIOServer`: namespaces and their sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.socketio.acks import Answer
from chatservice.socketio.connection import Connection
from chatservice.socketio.engine import Server
from chatservice.socketio.event import Event
from chatservice.socketio.functions import Function
from chatservice.socketio.namespace import Middleware, Namespace
from chatservice.socketio.options import Options


class SocketIOServer(Server):
    """Serves Socket.IO clients 1.x to 4.x. Its own `on`, `use`, `emit` … are those of the namespace `/`.

    :ivar namespaces: by name.
    """

    def __init__(self, options: Options | None = None, **more: Any) -> None:
        super().__init__(lambda session: Connection(self.house, self.namespaces, session), options, **more)
        self.namespaces: dict[str, Namespace] = {}
        self.main = self.of("/")

    def of(self, name: str) -> Namespace:
        """The namespace of this name; made if there is none.

        :raises ValueError: for a name that cannot be written on the wire.
        """
        if not name.startswith("/") or "," in name or "?" in name:
            raise ValueError("a namespace is named /something, without comma and question mark")
        if name not in self.namespaces:
            self.namespaces[name] = Namespace(name, self.house)
        return self.namespaces[name]

    def on(self, event: str) -> Callable[[Function], Function]:
        """See `Namespace.on`."""
        return self.main.on(event)

    def use(self, middleware: Middleware) -> Middleware:
        """See `Namespace.use`."""
        return self.main.use(middleware)

    def event(self, event: str, *arguments: Any) -> Event:
        """See `Namespace.event`."""
        return self.main.event(event, *arguments)

    def emit(self, event: str, *arguments: Any, **whom: Any) -> None:
        """See `Namespace.emit`."""
        self.main.emit(event, *arguments, **whom)

    def call_all(self, event: str, *arguments: Any, **whom: Any) -> Deferred[list[Answer]]:
        """See `Namespace.call_all`."""
        return self.main.call_all(event, *arguments, **whom)
