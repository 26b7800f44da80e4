"""An Engine.IO echo at /engine.io/ and a small Socket.IO application at /socket.io/.

python examples/socketio_app.py PORT PING_INTERVAL_MS PING_TIMEOUT_MS
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from twisted.internet import reactor
from twisted.internet.error import CannotListenError

from chatservice.socketio import (
    EngineIOServer,
    Options,
    Session,
    Socket,
    SocketIOServer,
    SocketSite,
    any_origin,
)


def main(port: int, ping_interval_ms: int, ping_timeout_ms: int) -> None:
    """Serve both until the end."""
    common: dict[str, Any] = {
        "ping_interval_s": ping_interval_ms / 1000,
        "ping_timeout_s": ping_timeout_ms / 1000,
        "max_payload": 1_000_000,
        "connect_timeout_s": 1.0,
        "allowed": any_origin,
    }
    bare = EngineIOServer(Options(path="/engine.io/", **common))
    server = SocketIOServer(Options(path="/socket.io/", **common))

    @bare.on("message")
    def echo(session: Session, data: str | bytes) -> None:
        session.send(data)

    def greet(socket: Socket) -> None:
        socket.emit("auth", socket.auth)

    server.on("connect")(greet)
    server.of("/custom").on("connect")(greet)

    @server.on("message")
    def message(socket: Socket, *arguments: Any) -> None:
        socket.emit("message-back", *arguments)

    @server.on("message-with-ack")
    def message_with_ack(socket: Socket, *arguments: Any) -> tuple[Any, ...]:
        return arguments

    site = SocketSite(bare, server)
    try:
        reactor.listenTCP(port, site, interface="127.0.0.1")  # type: ignore[attr-defined]
    except CannotListenError as error:
        sys.exit(str(error))
    with suppress(CannotListenError):  # where there is no IPv6 there is no need for it
        reactor.listenTCP(port, site, interface="::1")  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
