"""Any bytes in any pieces on any wire: a clean answer or a clean end, and no fault of ours."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogEvent, globalLogPublisher
from wire.house import House, close_frame, frame, handshake, read_frames
from wire.people import LinePerson, TextPerson

quickly = settings(deadline=None, max_examples=150)

HTTP = [
    handshake("/text"),
    handshake("/"),
    handshake("/echo") + frame("hi"),
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\n",
    b"GET ",
    b"/",
    b"/%00?",
    b" HTTP/1.1\r\n",
    b"Host: localhost\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: Upgrade\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Type: multipart/form-data; boundary=x\r\n",
    b"Cookie: ;=;\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b": \r\n",
    b"\x00",
    b"\x85",
    b"x" * 5000,
]
FRAMES = [
    frame("hi"),
    frame("/nick Ann"),
    frame("/join attic"),
    frame("/history 5"),
    frame("a", fin=False),
    frame("b", 0),
    frame(b"", 9),
    frame(b"\xff"),
    close_frame(1000),
    b"\x81\xff",
    frame(b"x" * 300),
]
LINES = [
    b"hi\n",
    b"/nick \xff\n",
    b"/join attic\r\n",
    b"bye\n",
    b"\n",
    b"\r",
    b"/history 5\n",
    b"\xe4\xbd",
    b"x" * 5000,
]


def pieces(words: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Known words and noise, joined and cut anywhere."""
    joined = st.lists(st.one_of(st.sampled_from(words), st.binary(max_size=30)), max_size=12).map(b"".join)
    return st.tuples(joined, st.lists(st.integers(1, 400), max_size=8)).map(lambda found: cut(*found))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    found, at = [], 0
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    return [piece for piece in [*found, data[at:]] if piece]


class Faults:
    """What Twisted logged as an error meanwhile."""

    def __enter__(self) -> list[LogEvent]:
        self._found: list[LogEvent] = []
        globalLogPublisher.addObserver(self._note)
        return self._found

    def _note(self, event: LogEvent) -> None:
        if event.get("log_failure") is not None:
            self._found.append(event)

    def __exit__(self, *_: object) -> None:
        globalLogPublisher.removeObserver(self._note)


@quickly
@given(pieces(HTTP))
def test_the_main_port(data: list[bytes]) -> None:
    """Any request is waited for, answered or cut off; nothing is left behind when its connection is gone."""
    house = House()
    with Faults() as faults:
        transport = house.connect(house.door)
        for piece in data:
            if transport.disconnecting:
                break
            house.feed(transport, piece)
        told = transport.take()
        assert told == b"" or told.startswith(b"HTTP/1.1 ")
        assert b"HTTP/1.1 500" not in told and b"Traceback" not in told
        house.wait(50)
        assert transport.disconnecting or told.startswith(b"HTTP/1.1 101") or len(house.chat.peers) == 0
        transport.lose()
        house.wait(1)
    assert faults == [] and house.troubles == []
    assert house.hub.rooms == {} and not house.chat.peers
    assert all(len(watch) == 0 for watch in (house.around.pings, house.around.handshakes, house.around.farewells))


@quickly
@given(pieces(FRAMES))
def test_frames(data: list[bytes]) -> None:
    """Any frames are heard or close the connection; what goes out is whole frames, at most one close, the last."""
    house = House()
    with Faults() as faults:
        one, witness = TextPerson(house), TextPerson(house)
        for piece in data:
            if one.transport.disconnecting:
                break
            one.feed(piece)
        assert read_frames(one.transport.value()) == one.frames()
        one.leave()
        assert witness.heard()[-1:] != [] and len(house.chat.peers) == 1
        witness.leave()
    assert faults == [] and house.troubles == [] and house.hub.rooms == {}


@quickly
@given(pieces(LINES))
def test_lines(data: list[bytes]) -> None:
    """Any lines are said or end the connection; what goes out is whole lines of UTF-8 without controls."""
    house = House()
    with Faults() as faults:
        one = LinePerson(house)
        for piece in data:
            if one.transport.disconnecting:
                break
            one.feed(piece)
        assert all(line.isprintable() or "\t" in line for line in one.heard())
        one.leave()
    assert faults == [] and house.troubles == [] and house.hub.rooms == {} and len(house.hub.roster) == 0
