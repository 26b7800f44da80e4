"""The same chat and devices over real framing: front door, Autobahn, send queues; a line breaks at any byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from chat import Chat
from devices import Device
from fakes import FakeTransport, make_hub
from stores import Store
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from wire.house import frame, handshake

from chatservice.transports.conversation import Conversation
from chatservice.transports.frontdoor import FrontDoorFactory
from chatservice.transports.site import PageSite
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.turn import Turn
from chatservice.transports.websocket import ChatWebSocketFactory

TEXT, CLOSE = 1, 8


class FramedChat(Chat):
    """A server with the whole way from bytes to rooms, without sockets. It tells at the end of a turn, as a real
    one does."""

    def __init__(self, store: Store) -> None:
        self.steady = Clock()
        super().__init__(store)

    def start(self) -> None:
        """Another process begins."""
        turn = Turn(self.store.pump, self.troubles.append)
        self.hub = make_hub(
            self.store.prepare(),
            troubles=self.troubles,
            clock=self.clock,
            passes=self.passes,
            ids=self._ids,
            turn=turn,
        )
        self.around = Surroundings.of(
            self.hub,
            turn=turn,
            call_later=self._call_later,
            now=self.steady.seconds,
            report=self.troubles.append,
        )
        manners = Manners("en", "simple", "lobby", True)
        factory = ChatWebSocketFactory(self.around, manners, self.steady)
        sockets = ChatSockets(self.around, manners, self.steady)
        self.door = FrontDoorFactory(self.around, factory, sockets, PageSite(factory, sockets))

    def _call_later(self, delay: float, call: Callable[[], None]) -> IDelayedCall:
        if delay:
            return self.steady.callLater(delay, call)
        self.store.pump(call)
        return DelayedCall(0, call, (), {}, lambda _: None, lambda _: None)

    def tick(self, seconds: float) -> None:
        """Time passes; what comes of it happens."""
        self.steady.advance(seconds)
        self.around.tick()


class FramedEnd:
    """The server's end of a TCP connection."""

    def __init__(self, chat: FramedChat) -> None:
        self.transport = FakeTransport()
        self.transport.protocol = chat.door.buildProtocol(None)
        self.transport.protocol.makeConnection(self.transport)
        self._has_begun = False

    @property
    def conversation(self) -> Conversation | None:
        """None when the connection has ended; before it has begun anything that is true will do."""
        conversation: Conversation | None = getattr(self.transport.protocol, "conversation", None)
        self._has_begun = self._has_begun or conversation is not None
        return conversation if self._has_begun else self.transport.protocol

    def lose(self) -> None:
        self.transport.lose()


class FramedDevice(Device):
    """A device that speaks in frames. What it sends and reads is counted in bytes."""

    chat: FramedChat
    near: FramedEnd | None  # type: ignore[assignment]

    def connect(self) -> None:
        if self.near is None or self.near.conversation is None:
            self.near, self._asked, self._is_known = FramedEnd(self.chat), {}, False
            self._out, self._in, self._is_upgraded = bytearray(handshake("/v1")), bytearray(), False
            rooms = {room: place.position for room, place in self.places.items()}
            self.send("hello", token=self.chat.token(self.me), rooms=rooms)

    def send(self, type: str, **members: Any) -> None:
        if self.near is not None:
            id = len(self._asked) + 1
            self._asked[id] = {"type": type, **members}
            self._out += frame(orjson.dumps({"type": type, "id": id, **members}))

    def up(self, size: int = 10**9) -> None:
        """So many bytes reach the server, in one piece."""
        if self.near is not None and self._out:
            data = bytes(self._out[:size])
            del self._out[:size]
            if self.near.conversation is not None and data:
                self.near.transport.protocol.dataReceived(data)

    def down(self, size: int = 10**9) -> bool:
        """So many bytes reach the device. True if something whole ended among them."""
        if self.near is None:
            return False
        stream = self.near.transport.io
        sent = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        stream.write(sent[size:])
        self._in += sent[:size]
        heard = False
        if not self._is_upgraded:
            head, end, rest = self._in.partition(b"\r\n\r\n")
            if not end:
                return False
            assert head.startswith(b"HTTP/1.1 101 "), bytes(head)
            self._in, self._is_upgraded, heard = rest, True, True
        while (found := read_frame(self._in)) is not None:
            opcode, payload, length = found
            del self._in[:length]
            heard = True
            if opcode == CLOSE:
                assert not self._in, "something follows a close frame"
            else:
                assert opcode == TEXT
                self._hear(orjson.loads(payload))
        return heard


def read_frame(data: bytearray) -> tuple[int, bytes, int] | None:
    """The first frame of a server's bytes as (opcode, payload, length of it all); None if it is not whole."""
    if len(data) < 2:
        return None
    assert data[0] & 0xF0 == 0x80 and not data[1] & 0x80, "no whole, final, unmasked frame"
    size, at = data[1], 2
    if size >= 126:
        at = 4 if size == 126 else 10
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + size:
        return None
    return data[0] & 0x0F, bytes(data[at : at + size]), at + size
