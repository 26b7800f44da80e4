"""Connection state recovery, with the holes of the reference closed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatservice.socketio import ConnectionRefused, Socket, SocketIOServer

from .fakes import Peer, serve


class Client(Peer):
    """A 4.6+ client: keeps its pid and the last argument of any event, if it is a string."""

    def __init__(self, server: SocketIOServer, clock: Clock, old: Client | None = None) -> None:
        super().__init__(server, clock)
        self.offset: str | None = None if old is None else old.offset
        self.events: list[list[Any]] = []
        self.recovered = False
        auth = {} if old is None else {"pid": old.pid}
        if self.offset is not None:
            auth["offset"] = self.offset
        self.pid = ""
        self.read(self.send("40" + orjson.dumps(auth).decode()))
        self.recovered = old is not None and self.pid == old.pid

    def read(self, frames: list[str | bytes]) -> list[list[Any]]:
        """What was said to it, without offsets; remembers."""
        for frame in frames:
            assert isinstance(frame, str)
            if frame.startswith("40"):
                answer = orjson.loads(frame[2:])
                self.id, self.pid = answer["sid"], answer["pid"]
            elif frame.startswith("42["):
                *event, self.offset = orjson.loads(frame[2:])
                self.events.append(event)
        return self.events

    def hear(self) -> list[list[Any]]:
        """What came until now."""
        return self.read(self.get())


@pytest.fixture
def world() -> tuple[SocketIOServer, Clock]:
    server, clock, errors = serve(recovery_s=120.0)
    assert errors == []
    return server, clock


def test_missed_events(world: tuple[SocketIOServer, Clock]) -> None:
    """A lost socket comes back as the same, with its rooms and data, and is told what it missed, in order, before
    its connect is answered; nothing that was not for it."""
    server, clock = world
    client = Client(server, clock)
    socket = server.main.sockets[client.id]
    socket.join("red")
    socket.data["name"] = "ann"
    server.emit("before")
    client.hear()
    client.lose()
    server.emit("all", 1)
    server.emit("red", to="red")
    server.emit("blue", to="blue")
    server.emit("not red", except_="red")
    server.emit("me", to=socket.id)
    server.emit("gone", volatile=True)
    again = Client(server, clock, client)
    assert again.recovered and again.id == client.id
    assert again.events == [["all", 1], ["red"], ["me"]]
    restored = server.main.sockets[again.id]
    assert restored.recovered and restored.data == {"name": "ann"} and set(restored.rooms) == {"red", socket.id}
    server.emit("red", to="red")
    assert again.hear()[-1] == ["red"]


def test_no_event_yet(world: tuple[SocketIOServer, Clock]) -> None:
    """(a) Who has had no event before the loss recovers from its connect on."""
    server, clock = world
    server.emit("long ago")
    client = Client(server, clock)
    client.lose()
    server.emit("missed")
    again = Client(server, clock, client)
    assert again.recovered and again.events == [["missed"]]
    again.offset = None  # the answer was lost as well
    again.lose()
    third = Client(server, clock, again)
    assert third.recovered and third.events == [["missed"]]


def test_volatile_and_direct_events(world: tuple[SocketIOServer, Clock]) -> None:
    """(b) Each event carries an offset, volatile and direct ones too, so no string of theirs is taken for one."""
    server, clock = world
    client = Client(server, clock)
    server.emit("v", "a string", volatile=True)
    server.main.sockets[client.id].emit("d", "a string")
    assert client.hear() == [["v", "a string"], ["d", "a string"]]
    client.lose()
    server.emit("missed")
    again = Client(server, clock, client)
    assert again.recovered and again.events == [["missed"]]


def test_forgotten_offset() -> None:
    """(c) The offset of a quiet client is forgotten, but what was sent since was not for it or has arrived."""
    server, clock, _ = serve(recovery_s=10.0, recovery_events=5, ping_interval_s=2.0, ping_timeout_s=1.0)
    client = Client(server, clock)
    server.emit("x")
    client.hear()
    for _ in range(20):
        server.emit("others", to="nobody")

    def stay(seconds: int) -> None:
        for _ in range(seconds * 10):
            clock.advance(0.1)
            if "2" in client.get():
                client.send("3")

    stay(4)
    client.lose()
    server.emit("missed")
    again = Client(server, clock, client)
    assert again.recovered and again.events == [["missed"]]
    # Now so much was sent shortly before the loss that some of it may be missing: no recovery.
    for _ in range(20):
        server.emit("others", to="nobody")
    again.lose()
    again.offset = client.offset
    assert not Client(server, clock, again).recovered


def test_take_over(world: tuple[SocketIOServer, Clock]) -> None:
    """(d) A client that is back before its old connection is found dead takes its place."""
    server, clock = world
    ends: list[str] = []
    server.on("disconnect")(lambda socket, reason: ends.append(reason))
    client = Client(server, clock)
    server.emit("heard")
    client.hear()
    client.session.pause(client.wire)
    server.emit("lost on the way")
    again = Client(server, clock, client)
    assert again.recovered and again.events == [["lost on the way"]]
    assert client.wire.closed and ends == ["transport close"]
    assert list(server.main.sockets) == [again.id]


def test_rooms_joined_later(world: tuple[SocketIOServer, Clock]) -> None:
    """What was said in a room before the socket joined it was not missed."""
    server, clock = world
    client = Client(server, clock)
    server.emit("heard")
    client.hear()
    server.emit("before", to="red")
    server.main.sockets[client.id].join("red")
    client.lose()
    server.emit("after", to="red")
    assert Client(server, clock, client).events == [["after"]]


def test_refusals(world: tuple[SocketIOServer, Clock]) -> None:
    """A wrong pid, a wrong offset, a socket that left in order, or one lost too long ago gets a fresh start."""
    server, clock = world
    wrong = Client(server, clock)
    wrong.lose()
    wrong.pid = "guess"
    assert not Client(server, clock, wrong).recovered
    for offset in ("", "x-1", "x", "-1", "9" * 30):
        client = Client(server, clock)
        client.lose()
        client.offset = offset
        assert not Client(server, clock, client).recovered
    client = Client(server, clock)
    client.offset = (server.main.recovery and server.main.recovery.offset.rpartition("-")[0]) + "-999"
    client.lose()
    assert not Client(server, clock, client).recovered
    left = Client(server, clock)
    left.send("41")
    assert not Client(server, clock, left).recovered
    late = Client(server, clock)
    late.lose()
    clock.advance(121.0)
    assert not Client(server, clock, late).recovered
    assert server.main.recovery is not None and len(server.main.recovery._saved) == 0


def test_middleware_is_not_asked_again(world: tuple[SocketIOServer, Clock]) -> None:
    """A recovered socket was let in before."""
    server, clock = world
    client = Client(server, clock)

    @server.use
    def refuse(socket: Socket) -> None:
        raise ConnectionRefused("no")

    client.lose()
    assert Client(server, clock, client).recovered


def test_version_3_clients_and_acknowledgements(world: tuple[SocketIOServer, Clock]) -> None:
    """Clients 2.x get the form without an offset, and so do events that ask for an acknowledgement."""
    server, clock = world
    old, new = Peer(server, clock, 3), Client(server, clock)
    server.emit("x", 1)
    assert old.get() == ['42["x",1]']
    assert new.hear() == [["x", 1]]
    server.main.sockets[new.id].call("ask", "s").addErrback(lambda _: None)
    assert new.get() == ['420["ask","s"]']


def test_off_by_default() -> None:
    """Without the option there is no pid and no offset."""
    server, clock, _ = serve()
    peer = Peer(server, clock)
    (answer,) = peer.send("40")
    assert "pid" not in str(answer)
    server.emit("x")
    assert peer.get() == ['42["x"]']


def test_bounds() -> None:
    """The memory is bounded in events, bytes and lost sockets."""
    server, clock, _ = serve(recovery_s=60.0, recovery_events=10, recovery_bytes=2000, recovery_sockets=3)
    recovery = server.main.recovery
    assert recovery is not None
    for _ in range(30):
        server.emit("x", "y" * 400)
    assert sum(entry.event.packet.size for entry in recovery._log) <= 2000
    for _ in range(30):
        server.emit("x")
    assert len(recovery._log) == 10
    for client in [Client(server, clock) for _ in range(5)]:
        client.lose()
    assert len(recovery._saved) == 3


@pytest.mark.parametrize("skips", [True, False])
def test_whether_middleware_is_asked_again(skips: bool) -> None:
    """Middleware is asked about those who come back if the option says so, and nothing is lost while it thinks."""
    server, clock, errors = serve(recovery_s=120.0, recovery_skips_middleware=skips)
    asked: list[Socket] = []
    thinking: list[Deferred[None]] = []

    @server.use
    def may_enter(socket: Socket) -> Deferred[None] | None:
        asked.append(socket)
        socket.data["asked"] = len(asked)
        return thinking.pop() if thinking else None

    client = Client(server, clock)
    socket = server.main.sockets[client.id]
    socket.join("red")
    socket.data["name"] = "ann"
    server.emit("before")
    client.hear()
    client.lose()
    server.emit("missed")
    answer: Deferred[None] = Deferred()
    if not skips:
        thinking.append(answer)
    again = Client(server, clock, client)
    server.emit("meanwhile", to="red")
    assert len(asked) == 2 - skips and (again.hear() != []) == skips
    answer.callback(None)
    again.hear()
    assert again.pid == client.pid and again.events == [["missed"], ["meanwhile"]]
    back = server.main.sockets[client.id]
    assert back.recovered and back.data == {"name": "ann", "asked": 2 - skips} and errors == []


def test_refused_when_it_comes_back() -> None:
    """Who may not enter any more is not recovered, and may be later."""
    server, clock, _ = serve(recovery_s=120.0, recovery_skips_middleware=False)
    is_allowed = [True]

    @server.use
    def may_enter(socket: Socket) -> None:
        if not is_allowed[0]:
            raise ConnectionRefused("no")

    client = Client(server, clock)
    server.emit("before")
    client.hear()
    client.lose()
    is_allowed[0] = False
    refused = Client(server, clock, client)
    assert refused.pid == "" and server.main.sockets == {}
    is_allowed[0] = True
    assert Client(server, clock, client).recovered
