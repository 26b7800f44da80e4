"""A server without a network: a clock turned by hand, GETs and WebSockets that only remember."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from chatservice.socketio import Options, Session, SocketIOServer
from chatservice.socketio.handshake import Handshake
from chatservice.socketio.house import House
from chatservice.socketio.outgoing import Batch
from chatservice.socketio.payload import Incoming, decode_binary, decode_text


class FakePoll:
    """A GET."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    def answer(self, batch: Batch, form: int) -> None:
        assert self.body is None, "answered twice"
        self.body = batch.joined(form)


class FakeWire:
    """A WebSocket; frames are kept without their heads."""

    def __init__(self) -> None:
        self.frames: list[str | bytes] = []
        self.bytes_written = 0
        self.closed = False
        self.is_full = False

    def write(self, data: bytes) -> None:
        assert not self.closed, "written after the end"
        self.bytes_written += len(data)
        while data:
            size, begin = data[1], 2
            if size == 126:
                size, begin = int.from_bytes(data[2:4]), 4
            elif size == 127:
                size, begin = int.from_bytes(data[2:10]), 10
            payload, kind = data[begin : begin + size], data[0]
            self.frames.append(payload.decode() if kind == 0x81 else payload)
            data = data[begin + size :]

    def close(self) -> None:
        self.closed = True

    def take(self) -> list[str | bytes]:
        """What came since the last look."""
        frames, self.frames = self.frames, []
        return frames


class Heard:
    """A handler that remembers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages: list[str | bytes] = []
        self.ends: list[str] = []
        self.pressure: list[bool] = []

    def message(self, data: str | bytes) -> None:
        self.messages.append(data)

    def closed(self, reason: str) -> None:
        self.ends.append(reason)

    def pressed(self, is_pressed: bool) -> None:
        self.pressure.append(is_pressed)


class Engine:
    """An Engine.IO house on a clock."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.errors: list[BaseException] = []
        self.handlers: dict[Session, Heard] = {}
        given = {"ping_interval_s": 0.3, "ping_timeout_s": 0.2, **options}
        self.house = House(self.clock, Options(**given), self.errors.append, self._handler)

    def _handler(self, session: Session) -> Heard:
        heard = self.handlers[session] = Heard(session)
        return heard

    def turn(self) -> None:
        """The end of a reactor turn."""
        self.clock.advance(0)

    def pass_time(self, seconds: float) -> None:
        """In steps of 10 ms."""
        for _ in range(round(seconds * 100)):
            self.clock.advance(0.01)

    def polling(self, version: int = 4, **more: Any) -> tuple[Session, Heard]:
        """A session whose open packet was fetched."""
        session = self.house.new_session(version, base64=False, **more)
        session.open()
        poll = FakePoll()
        assert session.poll(poll) and poll.body is not None
        self.turn()
        return session, self.handlers[session]

    def websocket(self, version: int = 4) -> tuple[Session, Heard, FakeWire]:
        """A session on a WebSocket, whose open packet was read."""
        wire = FakeWire()
        session = self.house.new_session(version, base64=False)
        session.open(wire)
        self.turn()
        wire.take()
        return session, self.handlers[session], wire


class Peer:
    """A Socket.IO client on a fake WebSocket."""

    def __init__(self, server: SocketIOServer, clock: Clock, version: int = 4, query: str = "") -> None:
        self.clock = clock
        self.wire = FakeWire()
        self.session = server.house.new_session(
            version, base64=False, handshake=Handshake(dict([query.split("=")] if query else []))
        )
        self.session.open(self.wire)
        self.get()

    def send(self, *messages: str | bytes) -> list[str | bytes]:
        """Send packets; what comes back at the end of the turn."""
        for message in messages:
            packet: Incoming
            if isinstance(message, str):
                packet = decode_text(self.session.version, message)
            else:
                packet = decode_binary(self.session.version, message)
            self.session.wire_received(self.wire, packet)
        return self.get()

    def get(self) -> list[str | bytes]:
        """What came."""
        self.clock.advance(0)
        return self.wire.take()

    def lose(self) -> None:
        """The connection breaks."""
        self.session.wire_lost(self.wire)


def serve(**options: Any) -> tuple[SocketIOServer, Clock, list[BaseException]]:
    """A Socket.IO server on a clock, and the errors it reports."""
    clock = Clock()
    clock.getDelayedCalls()
    errors: list[BaseException] = []
    return SocketIOServer(Options(**options), reactor=clock, report=errors.append), clock, errors
