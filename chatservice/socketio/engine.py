"""`EngineIOServer`: bare messages over polling and WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.socketio.house import House
from chatservice.socketio.options import Options
from chatservice.socketio.polling import PollingResource
from chatservice.socketio.seams import Handler
from chatservice.socketio.session import Session
from chatservice.socketio.websocket import SocketWebSocketFactory

_log = Logger("socketio")

Function = TypeVar("Function", bound=Callable[..., Any])


def log_error(error: BaseException) -> None:
    """The default for errors in functions of the application."""
    _log.failure("an error in a function for an event", failure=Failure(error), event="internal_error")


class Server:
    """What both servers are to the network.

    :param reactor: the one to use, if not the running one.
    :param report: is given what handlers raise; logs it by default.
    :ivar options: see `Options`.
    :ivar resource: for a twisted.web tree; serves `/socket.io` and all below it, WebSocket included.
    :ivar websocket_factory: for whoever reads request heads itself and hands upgrades over without twisted.web.
    """

    def __init__(
        self,
        new_handler: Callable[[Session], Handler],
        options: Options | None = None,
        *,
        reactor: Any = None,
        report: Callable[[BaseException], object] = log_error,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.options = options or Options()
        self.house = House(reactor, self.options, report, new_handler)
        self.websocket_factory = SocketWebSocketFactory(self.house, reactor)
        self.resource = PollingResource(self.house, self.websocket_factory)

    def serves(self, path: bytes) -> bool:
        """Whether a request's path, without its query, is this server's."""
        mount = self.options.path.rstrip("/").encode()
        return path == mount or path.startswith(mount + b"/")

    def close(self) -> None:
        """End every session."""
        self.house.close()


class EngineIOServer(Server):
    """Bare messages. Functions registered by `on` are called with the session and what it is about:

    `open` (session) · `message` (session, str or bytes) · `close` (session, reason) · `pressure` (session, bool)
    """

    def __init__(self, options: Options | None = None, **more: Any) -> None:
        super().__init__(lambda session: _Bare(self, session), options or Options(path="/engine.io/"), **more)
        self.functions: dict[str, Callable[..., Any]] = {}

    def on(self, event: str) -> Callable[[Function], Function]:
        """Register a function for `open`, `message`, `close` or `pressure`.

        :raises ValueError: for anything else.
        """
        if event not in ("open", "message", "close", "pressure"):
            raise ValueError(f"there is no event {event!r}")

        def register(function: Function) -> Function:
            self.functions[event] = function
            return function

        return register


class _Bare:
    """Hands what a session hears to the functions."""

    __slots__ = ("_server", "_session")

    def __init__(self, server: EngineIOServer, session: Session) -> None:
        self._server = server
        self._session = session
        self._call("open")

    def message(self, data: str | bytes) -> None:
        self._call("message", data)

    def closed(self, reason: str) -> None:
        self._call("close", reason)

    def pressed(self, is_pressed: bool) -> None:
        self._call("pressure", is_pressed)

    def _call(self, event: str, *arguments: object) -> None:
        function = self._server.functions.get(event)
        if function is not None:
            function(self._session, *arguments)
