"""A whole service without a socket or a reactor, and the bytes that go into it and come out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from fakes import NOON, FakeTransport, Ids, Pump, Troubles
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock, LoopingCall

from chatservice.domain.accounts import Registry
from chatservice.domain.hub import Hub
from chatservice.domain.limits import BIG_ROOMS, FRAME_BYTES, BigRooms, Rate
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses
from chatservice.logs.memory import MemoryLog
from chatservice.transports.admission import Admission, Bounds
from chatservice.transports.arrival import Arrival
from chatservice.transports.assets import Pages
from chatservice.transports.counted import Counted
from chatservice.transports.frontdoor import FrontDoorFactory
from chatservice.transports.gate import Gate
from chatservice.transports.headers import security_headers
from chatservice.transports.line import LineFactory
from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origins
from chatservice.transports.site import PageSite
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.turn import Turn
from chatservice.transports.watch import TICK_S
from chatservice.transports.websocket import ChatWebSocketFactory

KEY = base64.b64encode(b"sixteen old keys").decode()


class Caller(Arrival, FakeTransport):
    """A fake connection as our listening ports make real ones.

    :ivar gone: it was closed as soon as it was accepted.
    """

    gone = False

    def lose(self) -> None:
        self.depart()
        super().lose()


class House:
    """Log, hub, front door and line port on one fake clock."""

    def __init__(
        self,
        *,
        lang: str = "en",
        loopback: bool = True,
        messages: Rate | None = None,
        compression: bool = False,
        pages: Pages | None = None,
        public_url: str = "",
        origins: Origins | None = None,
        hosts: frozenset[str] | None = None,
        bounds: Bounds | None = None,
        trusted: Networks | None = None,
        proxied: bool = False,
        echo_bytes: int = FRAME_BYTES,
        limited: bool = True,
        signed: bool = False,
        guests: bool = True,
        sizes: BigRooms | None = None,
    ) -> None:
        self.clock, self.pump, self.troubles = Clock(), Pump(), Troubles()
        counted = Counted()
        manners = Manners(
            lang, "simple", "lobby", loopback, compression, echo_bytes, limited, origins or Origins(), hosts
        )
        log = MemoryLog(call_soon=self.pump, clock=lambda: NOON + self.clock.seconds(), randomness=Ids("epoch"))
        turn = None  # each thing that a room is told goes out by itself
        if sizes is not None:
            turn = Turn(self.pump, self.troubles.append, self.clock.callLater, self.clock.seconds, counted)
        self.hub = Hub(
            log,
            clock=lambda: NOON + self.clock.seconds(),
            randomness=Ids(),
            registry=Registry(PrecisNames()),
            messages=messages,
            report=self.troubles.append,
            build="0.0.0-house",
            guests=guests,
            turn=turn,
            sizes=sizes or BIG_ROOMS,
        )
        if signed:
            self.passes = self.hub.passes = SignedPasses(
                b"k" * 32, lambda: NOON + self.clock.seconds(), registry=self.hub.registry
            )
        log.start(self.hub)
        self.around = Surroundings.of(
            self.hub,
            turn=turn,
            call_later=self._call_later,
            now=self.clock.seconds,
            report=self.troubles.append,
            admission=Admission(self.clock.seconds, counted, bounds, trusted),
            counted=counted,
        )
        self.hub.network_of = self.around.network_of
        self._proxied = proxied
        self.chat = ChatWebSocketFactory(self.around, manners, self.clock)
        self.sockets = ChatSockets(self.around, manners, self.clock)
        headers = security_headers(public_url)
        site = PageSite(self.chat, self.sockets, pages, headers)
        self.door = FrontDoorFactory(self.around, self.chat, self.sockets, site, headers)
        self.lines = LineFactory(self.around, manners, self.clock)
        self._ticking = LoopingCall(self.around.tick)
        self._ticking.clock = self.clock
        self._ticking.start(TICK_S, now=False)
        self._ports = iter(range(5001, 10_000))
        self.from_address = "127.0.0.1"  # where those who connect from now on come from

    def _call_later(self, delay: float, call: Callable[[], None]) -> IDelayedCall:
        """What is to be done at once is done with all else that waits, without a tick of the clock."""
        if delay:
            return self.clock.callLater(delay, call)
        self.pump(call)
        return DelayedCall(0, call, (), {}, lambda _: None, lambda _: None)

    def connect(self, factory: FrontDoorFactory | LineFactory, host: str = "") -> Caller:
        """Somebody connects; who is sent away at once is `gone` at once."""
        host = host or self.from_address
        address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, next(self._ports))
        transport = Caller(address)
        transport.protocol = Gate(self.around, factory, proxied=self._proxied).buildProtocol(address)
        transport.gone = transport.protocol is None
        if not transport.gone:
            transport.arrive(self.around.admission)
            transport.protocol.makeConnection(transport)
        self.pump.run()
        return transport

    def feed(self, transport: FakeTransport, data: bytes) -> None:
        """Bytes come in, and everything that follows of them happens."""
        transport.protocol.dataReceived(data)
        self.pump.run()

    def wait(self, seconds: float) -> None:
        """Time goes by, second by second."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.pump.run()


def handshake(path: str = "/", *more: str, without: tuple[str, ...] = (), method: str = "GET") -> bytes:
    """A WebSocket handshake; `more` are header lines that replace those of the same name."""
    headers = {
        "Host": "localhost:8080",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    }
    for line in more:
        headers[line.partition(":")[0]] = line.partition(":")[2].strip()
    lines = [f"{name}: {value}" for name, value in headers.items() if name not in without]
    return ("\r\n".join([f"{method} {path} HTTP/1.1", *lines]) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def frame(payload: bytes | str, opcode: int = 1, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """A client's frame."""
    if isinstance(payload, str):
        payload = payload.encode()
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    size, bit = len(payload), 0x80 if masked else 0
    if size <= 125:
        head += bytes([bit | size])
    elif size <= 0xFFFF:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    mask = b"\x12\x34\x56\x78"
    repeated = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def close_frame(code: int, reason: str = "") -> bytes:
    """A client's farewell."""
    return frame(code.to_bytes(2, "big") + reason.encode(), 8)


def read_frames(data: bytes) -> list[tuple[int, bytes]]:
    """A server's frames as (opcode, payload); each must be whole, final and unmasked."""
    found = []
    while data:
        assert data[0] & 0xF0 == 0x80 and not data[1] & 0x80
        size, at = data[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at], "big")
        assert len(data) >= at + size
        found.append((data[0] & 0x0F, data[at : at + size]))
        data = data[at + size :]
    return found


@dataclass
class Answer:
    """An HTTP answer, taken apart."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def read_answer(data: bytes) -> Answer:
    """One HTTP answer; no header may stand in it twice."""
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, status, reason = status_line.split(" ", 2)
    assert version == "HTTP/1.1"
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    assert len(dict(pairs)) == len(pairs), "a header stands there twice"
    return Answer(int(status), reason, dict(pairs), body)
