"""An application with connection state recovery: who is lost misses two events. `PORT INTERVAL_MS TIMEOUT_MS`."""

from __future__ import annotations

import sys

from twisted.internet import reactor

from chatservice.socketio import Options, Socket, SocketIOServer, SocketSite, any_origin


def main(port: int, interval_ms: int, timeout_ms: int) -> None:
    """Serve it until the end."""
    server = SocketIOServer(
        Options(
            allowed=any_origin,
            recovery_s=120.0,
            ping_interval_s=interval_ms / 1000,
            ping_timeout_s=timeout_ms / 1000,
        )
    )

    @server.on("say")
    def say(socket: Socket, word: str) -> None:
        server.emit("said", word)

    @server.on("disconnect")
    def disconnect(socket: Socket, reason: str) -> None:
        server.emit("missed", 1)
        server.emit("missed", 2)

    reactor.listenTCP(port, SocketSite(server), interface="127.0.0.1")  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
