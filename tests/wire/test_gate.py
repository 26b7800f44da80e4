"""Who may connect, and whom a proxy brings: on every listener, as seen by everybody behind it."""

from __future__ import annotations

import pytest

from chatservice.transports.admission import Bounds
from chatservice.transports.networks import Networks
from wire.house import Caller, House, frame, handshake, read_answer, read_frames

PROXY, STRANGER, ANN = "192.0.2.1", "198.51.100.7", "203.0.113.9"
TRUSTED = Networks.read([PROXY, "unix"])
HOST = "Host: chat.example.org"


def house_with(**more: object) -> House:
    """A public service behind a proxy, where one address may have two connections."""
    return House(**{"loopback": False, "trusted": TRUSTED, "bounds": Bounds(per_address=2), **more})  # type: ignore[arg-type]


def get(house: House, transport: Caller, path: str, *headers: str) -> int:
    """One request on that connection: its status."""
    lines = [f"GET {path} HTTP/1.1", HOST, *headers]
    house.feed(transport, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return read_answer(transport.take()).status


def test_too_many_of_one_address_at_every_listener() -> None:
    """The third of an address is closed before it has a protocol, on the main port and on that of lines."""
    house = house_with()
    one, two = house.connect(house.door, ANN), house.connect(house.lines, ANN)
    assert not one.gone and not two.gone
    assert house.connect(house.door, ANN).gone and house.connect(house.lines, ANN).gone
    assert not house.connect(house.door, STRANGER).gone
    one.lose()
    assert not house.connect(house.lines, ANN).gone
    assert house.around.counted.refused_by_cap == 2


def test_a_proxy_brings_websockets() -> None:
    """Whom a trusted proxy brings has their own address, and as many places as if they came by themselves."""
    house = house_with()
    callers = [house.connect(house.door, PROXY) for _ in range(3)]
    for caller in callers[:2]:
        house.feed(caller, handshake("/text", HOST, f"X-Forwarded-For: 1.1.1.1, {ANN}"))
        assert read_answer(caller.take().partition(b"\r\n\r\n")[0]).status == 101
        assert caller.getPeer().host == ANN
    assert {peer.address for peer in house.chat.peers} == {ANN}
    house.feed(callers[2], handshake("/text", HOST, f"X-Forwarded-For: {ANN}"))
    answer = read_answer(callers[2].take())
    assert answer.status == 429 and 5 <= int(answer.headers["retry-after"]) <= 30
    assert callers[2].disconnecting and b"come back in" in answer.body
    callers[0].lose()
    again = house.connect(house.door, PROXY)
    house.feed(again, handshake("/text", HOST, f"X-Forwarded-For: {ANN}"))
    assert again.take().startswith(b"HTTP/1.1 101 ")


def test_a_stranger_brings_nobody() -> None:
    """What a stranger says of being forwarded is not heard."""
    house = house_with()
    caller = house.connect(house.door, STRANGER)
    house.feed(caller, handshake("/text", HOST, f"X-Forwarded-For: {ANN}"))
    assert caller.getPeer().host == STRANGER
    assert [peer.address.partition(":")[0] for peer in house.chat.peers] == [STRANGER]


def test_one_connection_of_a_proxy_for_many() -> None:
    """A proxy sends the requests of many over one kept-alive connection: each is its own, for the API, for
    Socket.IO, and for a WebSocket that comes that way in the end."""
    house = house_with()
    caller = house.connect(house.door, PROXY)
    for host in (ANN, STRANGER, ANN):
        assert get(house, caller, "/api/rooms/lobby/events", f"X-Forwarded-For: {host}") == 200
        assert caller.getPeer().host == host
    addresses = {visitor.session.address for visitor in house.door.site.resource._rooms._visitors._known.values()}
    assert addresses == {ANN, STRANGER}
    assert get(house, caller, "/socket.io/?EIO=4&transport=polling", f"X-Forwarded-For: {STRANGER}") == 200
    (session,) = house.sockets.server.house.sessions.values()
    assert session.handshake.address == STRANGER
    house.feed(caller, handshake("/text", HOST, f"X-Forwarded-For: {ANN}"))
    assert caller.take().startswith(b"HTTP/1.1 101 ")
    assert [peer.address for peer in house.chat.peers] == [ANN]


def test_a_request_that_is_the_proxys_own() -> None:
    """A request on the same connection that does not say whose it is, such as a probe, is not the last one's."""
    house = house_with()
    caller = house.connect(house.door, PROXY)
    assert get(house, caller, "/api/rooms/lobby/events", f"X-Forwarded-For: {ANN}") == 200
    assert get(house, caller, "/api/rooms/lobby/events") == 200
    assert caller.getPeer().host == PROXY
    for _ in range(2):  # Ann has all her places again
        own = house.connect(house.door, PROXY)
        house.feed(own, handshake("/text", HOST, f"X-Forwarded-For: {ANN}"))
        assert own.take().startswith(b"HTTP/1.1 101 ")


def test_too_many_requests_of_one_at_a_time() -> None:
    """Whom a proxy brings cannot hold more of its connections than they might have of their own."""
    house = house_with()
    for _ in range(2):
        caller = house.connect(house.door, PROXY)
        house.feed(
            caller,
            f"GET /api/rooms/a/events?wait=20 HTTP/1.1\r\n{HOST}\r\nX-Forwarded-For: {ANN}\r\n\r\n".encode(),
        )
    third = house.connect(house.door, PROXY)
    house.feed(third, f"GET / HTTP/1.1\r\n{HOST}\r\nX-Forwarded-For: {ANN}\r\n\r\n".encode())
    answer = read_answer(third.take())
    assert answer.status == 429 and "retry-after" in answer.headers and third.disconnecting
    third.lose()
    assert get(house, house.connect(house.door, PROXY), "/", f"X-Forwarded-For: {STRANGER}") == 200


LINE = f"PROXY TCP4 {ANN} 192.0.2.1 5123 443\r\n".encode()


def test_the_proxy_protocol_on_lines() -> None:
    """Where it is on, a trusted proxy's connection is that of whom it names, from its very first line."""
    house = house_with(proxied=True)
    caller = house.connect(house.lines, PROXY)
    assert caller.take() == b""
    for cut in (LINE[:3], LINE[3:20], LINE[20:] + b"hello\r\n"):
        house.feed(caller, cut)
    told = caller.take().decode()
    assert told.startswith(f"Hi {ANN}:5123!") and "say:hello" in told
    assert len(house.around.handshakes) == 0


def test_the_proxy_protocol_before_websockets() -> None:
    """The same before a WebSocket; a place is one's own there too."""
    house = house_with(proxied=True)
    for _ in range(2):
        caller = house.connect(house.door, PROXY)
        house.feed(caller, LINE + handshake("/echo", HOST) + frame("hi"))
        assert read_frames(caller.take().partition(b"\r\n\r\n")[2]) == [(1, b"hi")]
    third = house.connect(house.door, PROXY)
    house.feed(third, LINE + handshake("/echo", HOST))
    assert third.aborted and third.take() == b""
    assert house.around.counted.refused_by_cap == 1


@pytest.mark.parametrize("sent", [handshake("/echo", HOST), b"hello\n", b"PROXY TCP9 x\r\n", b"\r\n\r\nx"])
def test_a_proxy_that_does_not_say_whom_it_brings(sent: bytes) -> None:
    """It is cut off: nobody guesses."""
    house = house_with(proxied=True)
    caller = house.connect(house.door, PROXY)
    house.feed(caller, sent)
    assert caller.aborted and caller.take() == b"" and house.around.counted.bad_proxy_headers == 1
    caller.lose()
    assert len(house.around.handshakes) == 0 and house.around.counted.connections == 0


def test_a_proxy_that_says_nothing() -> None:
    """It has ten seconds."""
    house = house_with(proxied=True)
    caller = house.connect(house.door, PROXY)
    house.feed(caller, LINE[:10])
    house.wait(9)
    assert not caller.aborted
    house.wait(1)
    assert caller.aborted


def test_the_proxy_protocol_of_a_stranger() -> None:
    """From anybody else it is what it looks like: no HTTP. Nor is it known where it is off."""
    for house, host in ((house_with(proxied=True), STRANGER), (house_with(), PROXY)):
        caller = house.connect(house.door, host)
        house.feed(caller, LINE + b"Host: x\r\n\r\n")
        assert caller.take().startswith(b"HTTP/1.1 400 ") and caller.getPeer().host == host


def test_a_proxy_speaks_for_itself() -> None:
    """A health check has no other's address, and no limit."""
    house = house_with(proxied=True)
    callers = [house.connect(house.door, PROXY) for _ in range(5)]
    for caller in callers:
        house.feed(caller, b"PROXY UNKNOWN\r\n" + handshake("/echo", HOST))
        assert caller.take().startswith(b"HTTP/1.1 101 ")
        assert caller.getPeer().host == PROXY


def test_both_ways_at_once() -> None:
    """Behind a balancer that speaks the PROXY protocol stands a proxy that adds X-Forwarded-For: each is believed
    for as far as it is trusted."""
    house = house_with(proxied=True, trusted=Networks.read([PROXY, "10.0.0.0/8"]))
    caller = house.connect(house.door, PROXY)
    before = b"PROXY TCP4 10.0.0.5 192.0.2.1 1 443\r\n"
    house.feed(caller, before + handshake("/echo", HOST, f"X-Forwarded-For: {ANN}"))
    assert caller.take().startswith(b"HTTP/1.1 101 ") and caller.getPeer().host == ANN
    other = house.connect(house.door, PROXY)
    house.feed(other, LINE + handshake("/echo", HOST, "X-Forwarded-For: 1.1.1.1"))
    assert other.getPeer().host == ANN
