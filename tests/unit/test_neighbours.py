"""What goes from one worker to another, on connections that are driven by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeClock, FakeTransport, Ids, Pump, Troubles, make_hub
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers

from chatservice.logs.memory import MemoryLog
from chatservice.transports import neighbours as module
from chatservice.transports.arrival import Arrival
from chatservice.transports.neighbours import Beyond, Neighbours
from chatservice.transports.relay import Relay, Relays
from chatservice.transports.splice import Splice
from chatservice.transports.surroundings import Surroundings

SID = "w2-9.abc"


class Caller(Arrival, FakeTransport):
    """A client's connection; that it was handed over is noted."""

    is_let_go = False

    def fileno(self) -> int:
        return 0

    def let_go(self) -> None:
        assert self.producer is None  # it would be told to stop
        self.is_let_go = True


class Asked:
    """A twisted.web request, and the channel it came by."""

    def __init__(self, *, upgrades: bool = True) -> None:
        self.transport = Caller()
        self.transport.registerProducer(self, True)
        self.channel = self
        self.timeouts: list[None] = []
        self.persistent = True
        self.method, self.uri = b"GET", b"/socket.io/?sid=" + SID.encode()
        self.requestHeaders = Headers({"Upgrade": ["websocket"]} if upgrades else {})
        self.responseHeaders = Headers()
        self.content, self.body = BytesIO(), b""
        self.is_finished = False

    def setTimeout(self, seconds: None) -> None:
        self.timeouts.append(seconds)

    def getHeader(self, name: bytes) -> bytes | None:
        return next(iter(self.requestHeaders.getRawHeaders(name, [])), None)

    def notifyFinish(self) -> Deferred[None]:
        return Deferred()

    def setResponseCode(self, code: int, reason: bytes) -> None:
        assert code == 200

    def write(self, data: bytes) -> None:
        self.body += data

    def finish(self) -> None:
        self.is_finished = True


def surroundings() -> Surroundings:
    clock = Clock()
    hub = make_hub(MemoryLog(call_soon=Pump(), clock=FakeClock(), randomness=Ids()), troubles=Troubles())
    return Surroundings.of(hub, call_later=clock.callLater, now=clock.seconds, report=print)


@pytest.fixture
def beyond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beyond]:
    """The way to a neighbour who is there, but never accepts."""
    monkeypatch.setattr(module, "direct_way", lambda _: print)
    with socket.socket(socket.AF_UNIX) as neighbour:
        neighbour.bind(str(tmp_path / "w2-9.sock"))
        neighbour.listen()
        yield Neighbours("w1-1", tmp_path, None).add_place(surroundings())


def no_room(*_: Any) -> int:
    raise OSError


@pytest.mark.parametrize("send", [no_room, lambda *_: 1])
def test_a_hand_over_that_fails(beyond: Beyond, monkeypatch: pytest.MonkeyPatch, send: Any) -> None:
    """If an upgrade cannot be handed over, the request is answered here with its deadline and its back pressure as
    before."""
    monkeypatch.setattr(socket, "send_fds", send)
    asked = Asked()
    assert not beyond.take(SID, asked, print)  # type: ignore[arg-type]
    assert asked.timeouts == [] and asked.transport.producer is asked and not asked.transport.is_let_go


def test_a_hand_over(beyond: Beyond, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is handed over is said once, with its length, and nothing here looks after it any more."""
    said: list[bytes] = []

    def send(_: object, parts: list[bytes], numbers: list[int]) -> int:
        said.extend(parts)
        return sum(map(len, parts))

    monkeypatch.setattr(socket, "send_fds", send)
    asked = Asked()
    assert beyond.take(SID, asked, print)  # type: ignore[arg-type]
    head = said[0].partition(b"\n")
    assert b'"bytes":%d}' % len(head[2]) in head[0] and head[2].startswith(b"GET /socket.io/")
    assert asked.timeouts == [None] and asked.transport.producer is None and asked.transport.is_let_go


def relay(relays: Relays) -> tuple[Relay, Asked]:
    """One that has asked."""
    asked = Asked(upgrades=False)
    made = Relay(b"GET / HTTP/1.0\r\n\r\n", asked, print, relays)  # type: ignore[arg-type]
    made.makeConnection(FakeTransport())
    return made, asked


def test_a_relay_is_known_until_it_is_over() -> None:
    """Whoever is about to end sees which clients still wait for the answer of another worker."""
    relays = Relays()
    made, asked = relay(relays)
    assert relays == {made}
    made.dataReceived(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n2")
    assert relays == {made} and asked.persistent and not asked.responseHeaders.hasHeader("Connection")
    made.connectionLost()
    assert not relays and asked.is_finished and asked.body == b"2"


def test_the_last_relay_of_a_connection() -> None:
    """An answer that comes when this worker is about to end says so, so that the client's next request goes
    elsewhere."""
    relays = Relays()
    made, asked = relay(relays)
    relays.are_last = True
    made.dataReceived(b"HTTP/1.0 200 OK\r\n\r\n2")
    assert asked.responseHeaders.getRawHeaders("Connection") == ["close"] and not asked.persistent


def test_splices_end_in_good_order(tmp_path: Path) -> None:
    """When this worker is about to end, a connection that goes on to another one is ended at both ends after what
    is on its way, once; and it is waited for until its client has gone."""
    neighbours, around, client, other = (
        Neighbours("w1-1", tmp_path, None),
        surroundings(),
        Caller(),
        FakeTransport(),
    )
    splice = client.protocol = Splice(around, client, b"preface", neighbours.splices)
    splice.other.makeConnection(other)
    other.protocol = splice.other
    splice.dataReceived(b"ping")
    splice.other.dataReceived(b"pong")
    neighbours.leave()
    assert (client.take(), other.take()) == (b"pong", b"prefaceping")
    assert client.disconnecting and other.disconnecting and client.producer is None is other.producer
    assert not client.aborted
    other.lose()
    assert len(around.farewells) == 1
    client.lose()
    assert not around.farewells and not neighbours.splices
