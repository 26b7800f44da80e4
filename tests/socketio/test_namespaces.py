"""Namespaces, rooms, acknowledgements and middleware, without a network."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from chatservice.socketio import AckTimeout, ConnectionRefused, Socket, SocketIOServer
from chatservice.socketio.settle import settle

from .fakes import Peer, serve


def joined(server: SocketIOServer, clock: Any, version: int = 4) -> tuple[Peer, Socket]:
    """A peer in `/`, and the socket it is here."""
    before = set(server.main.sockets)
    peer = Peer(server, clock, version)
    if version == 4:
        peer.send("40")
    (id,) = set(server.main.sockets) - before
    return peer, server.main.sockets[id]


def test_rooms() -> None:
    """An event goes to all, to a room, to several without doubles, to one socket, and not to those left out."""
    server, clock, _ = serve()
    (ann, ann_socket), (bob, bob_socket), (cid, cid_socket) = (joined(server, clock) for _ in range(3))
    ann_socket.join("red")
    bob_socket.join("red", "blue")

    def told(**whom: Any) -> list[bool]:
        server.emit("x", **whom)
        return [peer.get() == ['42["x"]'] for peer in (ann, bob, cid)]

    assert told() == [True, True, True]
    assert told(to="red") == [True, True, False]
    assert told(to=["red", "blue"]) == [True, True, False]
    assert told(to=cid_socket.id) == [False, False, True]
    assert told(except_="red") == [False, False, True]
    assert told(to="red", except_=[ann_socket.id]) == [False, True, False]
    assert told(to="nobody") == [False, False, False]
    bob_socket.leave("red")
    assert told(to="red") == [True, False, False]
    assert server.main.members("blue") == [bob_socket]
    bob.lose()
    assert server.main.members("blue") == [] and server.main._rooms.keys() == {"red"}


def test_broadcast() -> None:
    """A socket speaks to all others."""
    server, clock, _ = serve()
    (ann, socket), (bob, _) = joined(server, clock), joined(server, clock, 3)
    socket.broadcast("x", 1)
    assert (ann.get(), bob.get()) == ([], ['42["x",1]'])


def test_one_encoding_for_all() -> None:
    """An event that was made once is the same packet for everyone, clients of both versions."""
    server, clock, _ = serve()
    peers = [joined(server, clock, version)[0] for version in (3, 4)]
    event = server.event("x", b"a")
    server.main.send(event)
    assert peers[0].get() == ['451-["x",{"_placeholder":true,"num":0}]', b"\x04a"]
    assert peers[1].get() == ['451-["x",{"_placeholder":true,"num":0}]', b"a"]


def test_volatile() -> None:
    """A volatile event is for those only whom it reaches at once."""
    server, clock, _ = serve()
    (ann, ann_socket), (bob, _) = joined(server, clock), joined(server, clock)
    ann.session.pause(ann.wire)
    server.emit("x", volatile=True)
    ann_socket.emit("y", volatile=True)
    ann.session.resume(ann.wire)
    assert (ann.get(), bob.get()) == ([], ['42["x"]'])


def test_acknowledgements_of_the_server() -> None:
    """What a function returns acknowledges: nothing, a value, several, later, or by a coroutine."""
    server, clock, errors = serve()
    later: Deferred[str] = Deferred()

    @server.on("nothing")
    def nothing(socket: Socket) -> None: ...

    @server.on("list")
    def list_(socket: Socket) -> list[int]:
        return [1, 2]

    @server.on("later")
    def wait(socket: Socket) -> Deferred[str]:
        return later

    @server.on("coroutine")
    async def coroutine(socket: Socket, value: object) -> tuple[object, object]:
        return value, 2

    @server.on("broken")
    def broken(socket: Socket) -> None:
        raise RuntimeError("ours")

    peer, _ = joined(server, clock)
    assert peer.send('421["nothing"]') == ["431[]"]
    assert peer.send('422["list"]') == ["432[[1,2]]"]
    assert peer.send('423["later"]') == []
    assert peer.send('424["coroutine",1]') == ["434[1,2]"]
    assert peer.send('425["broken"]', '426["unknown"]', '42["nothing"]') == []
    later.callback("now")
    assert peer.get() == ['433["now"]']
    assert [str(error) for error in errors] == ["ours"]


def test_arguments_are_fitted() -> None:
    """A peer cannot raise an error here by sending too few arguments or too many."""
    server, clock, errors = serve()
    got: list[object] = []
    server.on("two")(lambda socket, a, b=5: got.append((a, b)))
    server.on("any")(lambda socket, *more: got.append(more))
    server.on("*")(lambda socket, event, *more: got.append((event, *more)))
    peer, _ = joined(server, clock)
    peer.send('42["two"]', '42["two",1,2,3]', '42["any",1]', '42["else",1]', "42[7]")
    assert got == [(None, 5), (1, 2), (1,), ("else", 1), (7,)]
    assert errors == []


def test_acknowledgements_of_a_client() -> None:
    """A call gets the arguments of the acknowledgement, bytes too; others' and unknown ones are ignored."""
    server, clock, _ = serve()
    (ann, socket), (bob, _) = joined(server, clock), joined(server, clock)
    answers: list[object] = []
    socket.call("ask", 1).addCallback(answers.append)
    assert ann.get() == ['420["ask",1]']
    bob.send("430[3]")
    ann.send("439[3]")
    assert answers == []
    ann.send('461-0[{"_placeholder":true,"num":0},2]', b"a")
    ann.send("430[3]")
    assert answers == [[b"a", 2]]


def test_call_without_an_answer() -> None:
    """A call fails after its time, at once if the client goes, and can be cancelled; nothing is left behind."""
    server, clock, _ = serve(ping_timeout_s=100.0, ping_interval_s=100.0)
    peer, socket = joined(server, clock)
    failures: list[Any] = []
    socket.call("x", timeout_s=1.0).addErrback(failures.append)
    clock.advance(1.0)
    assert failures[0].check(AckTimeout) and socket._asked == {}
    cancelled = socket.call("x")
    cancelled.addErrback(failures.append)
    cancelled.cancel()
    socket.call("x").addErrback(failures.append)
    peer.lose()
    assert len(failures) == 3 and failures[2].check(AckTimeout)
    socket.call("x").addErrback(failures.append)
    assert failures[3].check(AckTimeout)


def test_broadcast_with_acknowledgements() -> None:
    """All are asked with one packet; the answers come together, or those that came when the time is up."""
    server, clock, _ = serve()
    (ann, _), (bob, _) = joined(server, clock), joined(server, clock)
    got: list[Any] = []
    server.call_all("x", timeout_s=1.0).addCallback(got.append)
    assert ann.get() == bob.get() == ['420["x"]']
    ann.send('430["a"]')
    assert got == []
    bob.send('430["b"]')
    assert got == [[["a"], ["b"]]]
    server.call_all("x", timeout_s=1.0).addErrback(lambda failure: got.append(failure.value.answers))
    bob.send('431["b"]')
    clock.advance(1.0)
    assert got[1] == [["b"]]
    server.call_all("x", to="nobody").addCallback(got.append)
    assert got[2] == []


@pytest.mark.parametrize("leaves_first", [True, False])
def test_somebody_leaves_while_all_are_asked(leaves_first: bool) -> None:
    """Who leaves without an answer makes it a failure with the answers that came, in whichever order."""
    server, clock, _ = serve()
    (ann, _), (bob, _) = joined(server, clock), joined(server, clock)
    got: list[Any] = []
    server.call_all("x").addCallbacks(got.append, lambda failure: got.append(failure.value))
    if leaves_first:
        bob.lose()
        assert got == []
    ann.send('430["a"]')
    if not leaves_first:
        assert got == []
        bob.lose()
    assert isinstance(got[0], AckTimeout) and got[0].answers == [["a"]] and len(got) == 1


def test_asking_what_cannot_be_said() -> None:
    """A question that cannot be encoded is not asked: nobody waits for its answer, no timer runs."""
    server, clock, _ = serve()
    _, socket = joined(server, clock)
    before = list(clock.getDelayedCalls())
    for ask in (socket.call, server.call_all):
        with pytest.raises(TypeError):
            ask("x", object())
    assert clock.getDelayedCalls() == before


def test_middleware() -> None:
    """Middlewares are asked one after the other, may take their time, and refuse with their words and data."""
    server, clock, errors = serve()
    later: Deferred[None] = Deferred()
    asked: list[str] = []

    @server.use
    def first(socket: Socket) -> Deferred[None]:
        asked.append("first")
        return later

    @server.use
    async def second(socket: Socket) -> None:
        asked.append("second")
        if socket.auth.get("token") != "good":
            raise ConnectionRefused("who are you?", {"retry": False})

    good, bad = Peer(server, clock), Peer(server, clock)
    assert good.send('40{"token":"good"}') == bad.send("40") == []
    assert asked == ["first", "first"]
    later.callback(None)
    assert '40{"sid":' in str(good.get()[0])
    assert bad.get() == ['44{"message":"who are you?","data":{"retry":false}}']
    assert errors == []


def test_middleware_of_version_4_clients() -> None:
    """Clients 2.x get the words alone, and what they send in spite of it ends nothing."""
    server, clock, errors = serve()

    @server.use
    def refuse(socket: Socket) -> None:
        if socket.query.get("token") != "good":
            raise ConnectionRefused("no")

    peer = Peer(server, clock, 3)
    assert peer.send('42["x"]') == [] and not peer.session.closed
    good = Peer(server, clock, 3, "token=good")
    assert [socket.session for socket in server.main.sockets.values()] == [good.session]

    @server.of("/a").use
    def broken(socket: Socket) -> None:
        raise RuntimeError("ours")

    assert good.send("40/a,") == ['44/a,"Internal error"']
    assert [str(error) for error in errors] == ["ours"]


def test_gone_while_a_middleware_thinks() -> None:
    """Who leaves before the answer is not connected by it."""
    server, clock, _ = serve()
    later: Deferred[None] = Deferred()
    server.use(lambda socket: later)
    lost, left = Peer(server, clock), Peer(server, clock)
    lost.send("40")
    left.send("40")
    lost.lose()
    left.send("41")
    later.callback(None)
    assert server.main.sockets == {} and left.get() == []


def test_twice_and_too_many() -> None:
    """Joining a namespace twice, or very many of them, ends the connection."""
    server, clock, _ = serve()
    peer, _ = joined(server, clock)
    peer.send("40")
    assert peer.wire.closed
    for number in range(100):
        server.of(f"/n{number}")
    greedy = Peer(server, clock)
    greedy.send(*(f"40/n{number}" for number in range(70)))
    assert greedy.wire.closed and server.namespaces["/n0"].sockets == {}


def test_life_of_a_socket() -> None:
    """`connect` and `disconnect` are told with reasons; the server may send a socket or a connection away."""
    server, clock, _ = serve()
    told: list[object] = []
    for name in ("/", "/a"):
        server.of(name).on("connect")(lambda socket: told.append(socket.namespace.name))
        server.of(name).on("disconnect")(lambda socket, reason: told.append(reason))
    peer, socket = joined(server, clock)
    peer.send("40/a")
    socket.disconnect()
    assert peer.get() == ["41"]
    server.namespaces["/a"].emit("x")
    assert peer.get() == ['42/a,["x"]']
    next(iter(server.namespaces["/a"].sockets.values())).disconnect(close=True)
    assert peer.wire.closed
    socket.emit("nothing"), socket.join("nothing"), socket.disconnect()
    assert told == ["/", "/a", "server namespace disconnect", "forced close"]
    assert server.house.sessions == {} and server.main._rooms == {}


def test_pressure() -> None:
    """A function for `pressure` hears when a client takes too little."""
    server, clock, _ = serve(high_water=100)
    told: list[bool] = []
    server.on("pressure")(lambda socket, pressed: told.append(pressed))
    peer, socket = joined(server, clock)
    peer.session.pause(peer.wire)
    socket.emit("x", "y" * 200)
    clock.advance(0)
    assert told == [True] and socket.waiting_bytes > 200
    peer.session.resume(peer.wire)
    assert told == [True]
    clock.advance(0)
    assert told == [True, False]


def test_no_connect_in_time() -> None:
    """Who joins nothing is sent away after the connect timeout, who leaves after another."""
    server, clock, _ = serve(connect_timeout_s=1.0)
    server.of("/two")
    idle, left, moved = Peer(server, clock), Peer(server, clock), Peer(server, clock)
    left.send("40")
    moved.send("40")
    clock.advance(0.5)
    left.send("41")
    moved.send("41", "40/two,")
    for _ in range(7):
        clock.advance(0.1)
    assert idle.wire.closed and not left.wire.closed
    for _ in range(7):
        clock.advance(0.1)
    assert left.wire.closed and not moved.wire.closed


@pytest.mark.parametrize("version", [3, 4])
def test_sent_away_and_staying(version: int) -> None:
    """Who is sent out of its last namespace and does not go is closed after the connect timeout."""
    server, clock, errors = serve(connect_timeout_s=1.0)
    peer = Peer(server, clock, version)
    if version == 4:
        peer.send("40")
    next(iter(server.main.sockets.values())).disconnect()
    assert peer.get()[-1] == "41" and not peer.session.closed
    for _ in range(15):
        clock.advance(0.1)
    assert peer.wire.closed and server.house.sessions == {} and errors == []


def test_slow_middleware_that_refuses() -> None:
    """The time to join a namespace does not run out while middleware thinks, and does when it has refused."""
    server, clock, _ = serve(connect_timeout_s=1.0)
    thinking: Deferred[None] = Deferred()
    server.use(lambda socket: thinking)
    peer = Peer(server, clock)
    peer.send("40")
    for _ in range(15):
        clock.advance(0.1)
    assert not peer.session.closed
    thinking.errback(ConnectionRefused("no"))
    for _ in range(15):
        clock.advance(0.1)
    assert peer.session.closed


def test_id_is_no_secret() -> None:
    """No socket is told to others by the name of its session, with which anybody could speak for it."""
    server, clock, _ = serve()
    peer, socket = joined(server, clock, 3)
    assert peer.session.sid not in socket.id
    other, _ = joined(server, clock, 3)
    server.emit("x", to=socket.id)
    server.emit("y", except_=socket.id)
    assert peer.get() == ['42["x"]'] and other.get() == ['42["y"]']


def test_error_of_what_follows() -> None:
    """An error after a function is ours: a value that cannot be said is reported, and refuses nobody."""
    server, clock, errors = serve()
    later: Deferred[object] = Deferred()
    server.on("now")(lambda socket: object())
    server.on("later")(lambda socket: later)
    peer, _ = joined(server, clock)
    assert peer.send('421["now"]', '422["later"]') == []
    later.callback(object())
    assert [type(error) for error in errors] == [TypeError, TypeError] and not peer.session.closed
    told: list[object] = []
    settle(lambda: None, (), lambda _: 1 / 0, told.append, errors.append)
    done: Deferred[None] = Deferred()
    settle(lambda: done, (), lambda _: 1 / 0, told.append, errors.append)
    done.callback(None)
    assert told == [] and [type(error) for error in errors[2:]] == [ZeroDivisionError] * 2


def test_registering() -> None:
    """One function a name; a namespace must be writable on the wire."""
    server, _, _ = serve()
    server.on("x")(lambda socket: None)
    with pytest.raises(ValueError):
        server.on("x")(lambda socket: None)
    for bad in ("a", "/a,b", "/a?b"):
        with pytest.raises(ValueError):
            server.of(bad)
    with pytest.raises(TypeError):
        server.emit("x", object())


def test_a_disconnect_costs_the_same_among_many() -> None:
    """The work of one disconnect does not grow with the number of those who stay."""

    def work(sockets: int) -> int:
        server, clock, _ = serve()
        peers = [joined_quickly(server, clock) for _ in range(sockets)]
        calls = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            for peer in peers[:50]:
                peer.lose()
        finally:
            sys.setprofile(None)
        assert len(server.main.sockets) == len(server.main.members("all")) == sockets - 50
        return calls

    def joined_quickly(server: SocketIOServer, clock: Any) -> Peer:
        peer = Peer(server, clock)
        peer.send("40")
        next(reversed(server.main.sockets.values())).join("all")
        return peer

    assert work(1000) <= 1.1 * work(100)
