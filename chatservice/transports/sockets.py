"""The chat's Socket.IO server on one listener: who may come in, and which peer each socket is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from chatservice.dialects.phrases import say
from chatservice.domain.errors import Code, Disconnect, Refused
from chatservice.domain.limits import FRAME_BYTES
from chatservice.domain.trust import Identity
from chatservice.socketio import ConnectionRefused, Options, Socket, SocketIOServer
from chatservice.transports.credentials import from_cookie, from_header
from chatservice.transports.socketpeer import SocketPeer
from chatservice.transports.surroundings import HELLO_S, Manners, Surroundings
from chatservice.transports.wishes import Wishes, read_wishes

POLLING_SESSIONS = 200
"""Long-polling sessions one address may have; a WebSocket costs its peer a connection, these cost nothing."""


class ChatSockets:
    """A `SocketIOServer` whose sockets are in the same rooms as everybody else.

    :ivar server: answers at `/socket.io/`.
    :ivar beyond: the way to sessions that other workers hold.
    """

    def __init__(self, around: Surroundings, manners: Manners, reactor: Any) -> None:
        self.around = around
        self.manners = manners
        self.peers: dict[Socket, SocketPeer] = {}
        around.desk.connections.append(self.peers.values())
        self.beyond = None if around.neighbours is None else around.neighbours.add_place(around)
        options = Options(
            max_payload=FRAME_BYTES,
            connect_timeout_s=HELLO_S,
            # Who is on this computer, a proxy or a benchmark, may open as many as there is room for.
            max_sessions=None,
            max_polling=None if manners.loopback else POLLING_SESSIONS,
            allowed=manners.admits,
            node="" if self.beyond is None else self.beyond.node,
            elsewhere=self.beyond,
            clients=Path(str(files("chatservice.socketio") / "clients")),
        )
        self.server = SocketIOServer(options, reactor=reactor, report=around.report)
        self.server.use(self._admit)
        self.server.on("connect")(self._connect)
        self.server.on("disconnect")(self._disconnect)
        self.server.on("pressure")(self._pressure)
        self.server.main.hear_all(self._hear)

    def living(self) -> Iterable[SocketPeer]:
        """Whoever is connected now."""
        return list(self.peers.values())

    def close_peers(self, why: Disconnect) -> None:
        """Say goodbye to all."""
        for peer in list(self.peers.values()):
            peer.close(why)
        self.server.close()

    def _admit(self, socket: Socket) -> None:
        """Whether it may come in: a token must be one of ours."""
        try:
            self._identify(socket)
        except Refused as refusal:
            lang = self._wishes(socket).lang
            told = {"code": refusal.code.value, "temporary": refusal.temporary}
            raise ConnectionRefused(say(lang, refusal.about, refusal.params), told) from None

    def _connect(self, socket: Socket) -> None:
        # Version 1 says hello, with its token; all others are somebody from the start.
        speaks_v1 = _wanted(socket).get("v") == "1"
        self.peers[socket] = SocketPeer(
            socket,
            self.around,
            self.manners,
            self._wishes(socket),
            speaks_v1=speaks_v1,
            identity=None if speaks_v1 else self._identify(socket),
            token=_said_token(socket) or _kept_token(socket),
        )

    def _disconnect(self, socket: Socket) -> None:
        peer = self.peers.pop(socket, None)
        if peer is not None:
            peer.left()

    def _pressure(self, socket: Socket, is_pressed: bool) -> None:
        peer = self.peers.get(socket)
        if peer is not None and not is_pressed:
            peer.drained()

    def _hear(
        self, socket: Socket, name: str, arguments: list[Any], acknowledge: Callable[[object], None] | None
    ) -> None:
        peer = self.peers.get(socket)
        if peer is not None:
            peer.hear(name, arguments, acknowledge)

    def _identify(self, socket: Socket) -> Identity | None:
        hub, speaks_v1 = self.around.hub, _wanted(socket).get("v") == "1"
        token = _said_token(socket)
        kept = None if token else _kept_token(socket)
        identity = None
        try:
            if token or kept:
                if hub.passes is None:
                    raise Refused(Code.UNAUTHORIZED)
                identity = hub.passes.read(token or kept or "")
        except Refused:
            if token:
                raise
        if not (hub.guests or speaks_v1 or (identity is not None and not identity.guest)):
            raise Refused(Code.UNAUTHORIZED, "no_guests")
        return identity

    def _wishes(self, socket: Socket) -> Wishes:
        return read_wishes("/", {name: [value] for name, value in _wanted(socket).items()}, (), self.manners)


def _said_token(socket: Socket) -> str | None:
    return _wanted(socket).get("token") or from_header(socket.handshake.headers.get("authorization", ""))


def _kept_token(socket: Socket) -> str | None:
    headers = socket.handshake.headers
    return from_cookie(
        headers.get("cookie", ""),
        headers.get("origin", ""),
        headers.get("host", ""),
        headers.get("sec-fetch-site", ""),
    )


def _wanted(socket: Socket) -> dict[str, str]:
    """What a client asks for: in its query, and above that in `auth`."""
    auth = {name: value for name, value in socket.auth.items() if isinstance(value, str | int)}
    return {**socket.query, **{str(name): str(value) for name, value in auth.items()}}
