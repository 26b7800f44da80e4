"""The first protocol of every connection to the main port."""

from __future__ import annotations

import re

import pytest
from fakes import FakeTransport
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory

from chatservice.transports.head import HEAD_BYTES
from wire.house import House, close_frame, frame, handshake, read_answer, read_frames

PAGE = b"GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
MISSING = b"GET /nothing HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\n\r\n"


def answer(house: House, *pieces: bytes) -> tuple[bytes, bool]:
    """All that comes back, without the date, and whether we ended the connection."""
    transport = house.connect(house.door)
    for piece in pieces:
        house.feed(transport, piece)
    ended = transport.disconnecting
    transport.lose()
    house.pump.run()
    return re.sub(rb"(?i)\r\ndate: [^\r]*", b"", transport.take()), ended


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(PAGE, id="page"),
        pytest.param(MISSING, id="404"),
        pytest.param(handshake("/text?nick=Ann") + frame("hi"), id="upgrade and a message"),
        pytest.param(handshake("/echo") + frame("hi") + close_frame(1000), id="upgrade, echo, close"),
        pytest.param(handshake("/nowhere"), id="upgrade to nowhere"),
        pytest.param(b"GET / HTTP/1.1\r\nX: a\x85b\r\n\r\n", id="forged"),
        pytest.param(b"\r\n\r\n", id="nothing"),
        pytest.param(b"nonsense\r\n\r\n", id="nonsense"),
    ],
)
def test_every_split(request_bytes: bytes) -> None:
    """However a request is cut into packets, the answer is the same."""
    whole = answer(House(), request_bytes)
    assert whole[0]
    assert answer(House(), *(request_bytes[n : n + 1] for n in range(len(request_bytes)))) == whole
    house = House()
    for cut in range(1, len(request_bytes)):
        assert answer(house, request_bytes[:cut], request_bytes[cut:]) == whole, cut
    assert house.troubles == []


def padded(request_bytes: bytes, size: int) -> bytes:
    """The request with a head of exactly that many bytes."""
    missing = size - len(request_bytes) - len(b"X-Pad: \r\n")
    return request_bytes.replace(b"\r\n\r\n", b"\r\nX-Pad: " + b"x" * missing + b"\r\n\r\n", 1)


@pytest.mark.parametrize("pieces", [1, 2, 7, 16_384])
def test_the_longest_head(pieces: int) -> None:
    """A head of 16 KiB is served; one byte more is 431, in however many packets it comes."""
    for size, status in ((HEAD_BYTES, b"101"), (HEAD_BYTES + 1, b"431"), (HEAD_BYTES + 4, b"431")):
        head = padded(handshake("/text"), size)
        assert len(head) == size
        step = -(-size // pieces)
        told, _ = answer(House(), *(head[n : n + step] for n in range(0, size, step)))
        assert told.startswith(b"HTTP/1.1 " + status), size


def test_an_endless_head(house: House) -> None:
    """A head that never ends is refused at 16 KiB; what still comes is not even kept."""
    transport = house.connect(house.door)
    house.feed(transport, b"GET / HTTP/1.1\r\nX: ")
    for _ in range(300):
        house.feed(transport, b"x" * 1000)
    refusal = read_answer(transport.take())
    assert (refusal.status, refusal.headers["connection"]) == (431, "close")
    assert refusal.body == b"the request head has more than 16 KiB\n"
    assert len(refusal.body) == int(refusal.headers["content-length"])
    assert transport.disconnecting and len(transport.protocol._head) < HEAD_BYTES + 1100
    house.wait(5)
    assert transport.aborted


def test_the_silent(house: House) -> None:
    """Whoever connects and says nothing is cut off after 10 s, without a word."""
    transport = house.connect(house.door)
    house.wait(9)
    assert not transport.aborted
    house.wait(1)
    assert transport.aborted and transport.take() == b""
    transport.lose()
    assert len(house.around.handshakes) == 0


def test_a_slow_drip(house: House) -> None:
    """A byte a second buys no time: the deadline is absolute."""
    transport = house.connect(house.door)
    for n in range(9):
        house.feed(transport, PAGE[n : n + 1])
        house.wait(1)
    assert not transport.aborted
    house.wait(1)
    assert transport.aborted


def test_no_deadline_after_the_head(house: House) -> None:
    """Whoever asked in time is not under that deadline any more."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/text"))
    assert len(house.around.handshakes) == 0
    house.wait(20)
    assert not transport.aborted


def test_gone_before_asking(house: House) -> None:
    """A connection that goes away early leaves nothing behind, nor does one that was refused."""
    house.connect(house.door).lose()
    refused = house.connect(house.door)
    house.feed(refused, b"\x00\r\n\r\n")
    assert len(house.around.farewells) == 1
    refused.lose()
    assert len(house.around.handshakes) == len(house.around.farewells) == 0
    house.wait(10)
    assert not refused.aborted


FORGED = ["\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\n", "\r"]


@pytest.mark.parametrize("bad", [*(c.encode() for c in FORGED), b"\x85"], ids=ascii)
@pytest.mark.parametrize("base", [PAGE, handshake("/text")], ids=["page", "upgrade"])
def test_forged_headers(house: House, base: bytes, bad: bytes) -> None:
    """A character at which some program might begin a new header is refused, on the page and on an upgrade."""
    request = base.replace(b"\r\n\r\n", b"\r\nX-Note: a" + bad + b"Origin: null\r\n\r\n")
    told, ended = answer(house, request)
    refusal = read_answer(told)
    assert (refusal.status, ended) == (400, True)
    assert refusal.body == b"the request head holds a character that belongs in none\n"
    assert house.hub.rooms == {}


def test_bytes_behind_the_head_go_along(house: House) -> None:
    """A peer that speaks before it has our answer is heard."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/echo") + frame("a") + frame("b"))
    head, _, rest = transport.take().partition(b"\r\n\r\n")
    assert read_answer(head).status == 101
    assert read_frames(rest) == [(1, b"a"), (1, b"b")]


def test_upgrade_or_page() -> None:
    """Only an Upgrade header with websocket as its value makes it a WebSocket."""
    for line in (b"Upgrade: websocket", b"upgrade:WebSocket", b"UPGRADE: \t WEBSOCKET"):
        told, _ = answer(House(), handshake("/text").replace(b"Upgrade: websocket", line))
        assert told.startswith(b"HTTP/1.1 101 "), line
    for line in (b"Upgrade: h2c", b"X-Upgrade: websocket", b"Referer: /Upgrade: websocket", b"X: 1"):
        told, _ = answer(House(), handshake("/").replace(b"Upgrade: websocket", line))
        assert told.startswith(b"HTTP/1.1 200 "), line


def test_an_upgrade_on_a_kept_alive_connection(house: House) -> None:
    """Some proxies reuse a connection: page first, WebSocket later. It is the same chat, pings and all."""
    transport = house.connect(house.door)
    house.feed(transport, PAGE)
    assert read_answer(transport.take()).status == 200 and not transport.disconnecting
    house.wait(10)
    house.feed(transport, handshake("/text?nick=Ann"))
    head, _, rest = transport.take().partition(b"\r\n\r\n")
    assert read_answer(head).status == 101
    assert read_frames(rest) == [(1, b"Ann comes in")]
    assert transport.producer is house.chat.peers.copy().pop()._queue
    house.feed(transport, frame("hi"))
    assert read_frames(transport.take()) == [(1, b"hi")]
    for _ in range(5):
        house.wait(24)
        house.feed(transport, frame("still here"))
    assert not transport.disconnecting
    transport.take()
    house.feed(transport, close_frame(1000))
    assert read_frames(transport.take())[0][0] == 8 and transport.disconnecting
    transport.lose()
    assert house.hub.rooms == {} and not house.chat.peers


def test_refusals_on_a_kept_alive_connection(house: House) -> None:
    """The second request is judged like a first one: paths, forged headers."""
    for request, status in (
        (handshake("/nowhere"), 404),
        (handshake("/text", "Origin: https://evil.example"), 403),
        (handshake("/text").replace(b"\r\n\r\n", b"\r\nX: a\x85Origin: null\r\n\r\n"), 400),
    ):
        transport = house.connect(house.door)
        house.feed(transport, PAGE)
        transport.take()
        house.feed(transport, request)
        assert read_answer(transport.take()).status == status
        transport.lose()
    assert house.hub.rooms == {}


@pytest.mark.parametrize("request_bytes", [PAGE, handshake("/text")], ids=["page", "upgrade"])
def test_under_a_wrapper(house: House, request_bytes: bytes) -> None:
    """Under TLS the transport is a wrapper; the connection is handed over within it."""
    factory: Factory = WrappingFactory(house.door)
    transport = FakeTransport(IPv4Address("TCP", "127.0.0.1", 5123))
    wrapper = transport.protocol = factory.buildProtocol(None)
    assert wrapper is not None
    wrapper.makeConnection(transport)
    house.feed(transport, request_bytes)
    house.feed(transport, frame("hi") if request_bytes != PAGE else PAGE)
    told = transport.take()
    if request_bytes == PAGE:
        assert told.count(b"HTTP/1.1 200 OK") == 2
    else:
        assert read_frames(told.partition(b"\r\n\r\n")[2])[-1] == (1, b"hi")
    transport.lose()
    assert house.hub.rooms == {}
