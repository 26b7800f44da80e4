"""People who chat over a wire: the same verbs for each, so that one conversation can be held over all."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fakes import FakeTransport

from wire.house import House, close_frame, frame, handshake, read_answer, read_frames

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Person:
    """Somebody at the far end of a transport. `heard` gives ready sentences, whatever the dialect."""

    wire = ""
    transport: FakeTransport

    def __init__(self, house: House) -> None:
        self.house = house

    def say(self, text: str) -> None:
        """Type something and press return."""
        raise NotImplementedError

    def heard(self) -> list[str]:
        """What came since the last call."""
        raise NotImplementedError

    def said(self, nick: str, text: str) -> str:
        """How this dialect shows what somebody said."""
        raise NotImplementedError

    def arrival(self, nick: str, room: str = "lobby", n: int = 1) -> list[str]:
        """How this dialect welcomes a newcomer."""
        return [f"{nick} comes in"]

    def farewell(self) -> str | None:
        """The reason we gave when the connection ended; None while it goes on."""
        raise NotImplementedError

    def leave(self) -> None:
        """The connection breaks."""
        self.transport.lose()
        self.house.pump.run()

    def feed(self, data: bytes) -> None:
        """Bytes of any kind."""
        self.house.feed(self.transport, data)


class WebSocketPerson(Person):
    """Someone with a WebSocket."""

    path = "/"

    def __init__(self, house: House, path: str | None = None, *headers: str, **query: str) -> None:
        super().__init__(house)
        self.transport = house.connect(house.door)
        address = (path or self.path) + "".join(
            f"{'&' if number else '?'}{name}={quote(value)}" for number, (name, value) in enumerate(query.items())
        )
        self.feed(handshake(address, *headers))
        head, _, rest = self.transport.take().partition(b"\r\n\r\n")
        self.answer = read_answer(head)
        self.closed: tuple[int, str] | None = None
        self.pings = 0
        self.pongs: list[bytes] = []
        if rest:
            self.transport.io.write(rest)  # frames that came along with the answer

    def say(self, text: str) -> None:
        self.feed(frame(text))

    def frames(self) -> list[tuple[int, bytes]]:
        """What came since the last call, control frames noted."""
        found = read_frames(self.transport.take())
        for opcode, payload in found:
            if opcode == CLOSE:
                assert self.closed is None and found[-1] == (opcode, payload), "something follows a close frame"
                self.closed = (int.from_bytes(payload[:2], "big"), payload[2:].decode())
            elif opcode == PING:
                self.pings += 1
            elif opcode == PONG:
                self.pongs.append(payload)
        return found

    def texts(self) -> list[str]:
        return [payload.decode() for opcode, payload in self.frames() if opcode == TEXT]

    def heard(self) -> list[str]:
        return self.texts()

    def farewell(self) -> str | None:
        self.frames()
        return None if self.closed is None else self.closed[1]

    def answer_ping(self) -> None:
        """What a browser does by itself."""
        self.feed(frame(b"", PONG))

    def close(self) -> None:
        """What a browser does when its tab is closed."""
        self.feed(close_frame(1001))


class TextPerson(WebSocketPerson):
    """On `/text`."""

    wire, path = "text", "/text"

    def said(self, nick: str, text: str) -> str:
        return text


class SimplePerson(WebSocketPerson):
    """On `/`."""

    wire, path = "simple", "/"

    def heard(self) -> list[str]:
        return [message["data"] for message in self.messages()]

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts()]

    def said(self, nick: str, text: str) -> str:
        return f"{nick} says: {text}"


class LinePerson(Person):
    """Someone with nc."""

    wire = "line"

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.transport = house.connect(house.lines)

    def say(self, text: str) -> None:
        self.feed(text.encode() + b"\n")

    def heard(self) -> list[str]:
        data = self.transport.take().decode()
        assert data == "" or data.endswith("\n")
        return data.split("\n")[:-1]

    def said(self, nick: str, text: str) -> str:
        return f"{nick}say:{text}"

    def arrival(self, nick: str, room: str = "lobby", n: int = 1) -> list[str]:
        peer = self.transport.getPeer()
        hi = f"Hi 127.0.0.1:{peer.port}!"
        return [hi, f"* you are {nick} in {room}, {n} here; /help lists the commands"]

    def farewell(self) -> str | None:
        return self.heard()[-1].removeprefix("* ") if self.transport.disconnecting else None


PEOPLE: tuple[type[TextPerson] | type[SimplePerson] | type[LinePerson], ...] = (
    TextPerson,
    SimplePerson,
    LinePerson,
)
