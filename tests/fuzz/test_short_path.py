"""The short way in reads exactly what Autobahn's own parser reads: same events, same answers, same close codes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wire.house import House, close_frame, frame
from wire.people import WebSocketPerson

from chatservice.transports.websocket import FRAME_BYTES, ChatWebSocket

TEXT, BINARY, PING, PONG = 1, 2, 9, 10


class TheLongWay(ChatWebSocket):
    """Leaves everything to Autobahn."""

    def _read_quickly(self, data: bytes) -> bytes:
        return data


def outcome(data: bytes, cuts: list[int], protocol: type[ChatWebSocket]) -> tuple[object, ...]:
    """What a peer of `/echo` gets for `data`, handed over in pieces cut at `cuts`."""
    house = House()
    house.chat.protocol = protocol
    one = WebSocketPerson(house, "/echo")
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(edges):
        one.feed(data[begin:end])
    got = one.frames(), one.closed, one.transport.disconnecting
    one.leave()
    assert house.troubles == []
    return got


def long_form(payload: bytes, bits: int) -> bytes:
    """A masked text frame whose length is written in more bytes than it needs, or just in 64 bits."""
    size = len(payload).to_bytes(bits // 8, "big")
    return bytes((0x81, 0x80 | (126 if bits == 16 else 127))) + size + bytes(4) + payload


WORDS = st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode))
FRAMES = st.one_of(
    st.builds(frame, WORDS, st.just(TEXT)),
    st.builds(frame, WORDS, st.sampled_from([0, BINARY, 3, PING, PONG]), fin=st.booleans()),
    st.builds(
        frame, WORDS, st.just(TEXT), fin=st.booleans(), rsv=st.sampled_from([0, 0, 0, 4]), masked=st.booleans()
    ),
    st.integers(120, 70_000).map(lambda size: frame(b"a" * size)),
    st.builds(long_form, WORDS, st.sampled_from([16, 64])),
    st.sampled_from([1000, 1001, 999, 3000]).map(close_frame),
    st.binary(max_size=12),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(FRAMES, max_size=6).map(b"".join), st.lists(st.integers(0, 1 << 20), max_size=8))
@example(long_form(b"x" * 200, 64), [])
@example(frame(b"y" * FRAME_BYTES) + frame(b"z"), [3, 9])
def test_same_as_autobahn(data: bytes, cuts: list[int]) -> None:
    """Any bytes in any pieces come to the same."""
    assert outcome(data, cuts, ChatWebSocket) == outcome(data, cuts, TheLongWay)


@pytest.mark.parametrize(
    "data",
    [
        frame("hi") + frame("there"),
        frame("你好") + frame(b"\xff\xfe") + frame("after"),
        frame("a" * 130) + frame(b"", PING) + frame("b"),
        frame("one", TEXT, fin=False) + frame("two", 0) + frame("three"),
        long_form(b"short", 16) + frame("after"),
    ],
)
def test_split_at_every_byte(data: bytes) -> None:
    """Wherever the network cuts a stream in two, what is read stays the same."""
    expected = outcome(data, [], TheLongWay)
    for cut in range(len(data)):
        assert outcome(data, [cut], ChatWebSocket) == expected


def test_the_short_way_is_taken() -> None:
    """Whole text frames never reach Autobahn's parser, or this file would compare nothing."""
    reached: list[bytes] = []

    class Watched(ChatWebSocket):
        def _dataReceived(self, data: bytes) -> None:
            if self.state == self.STATE_OPEN:
                reached.append(data)
            super()._dataReceived(data)

    outcome(frame("hi") + frame("你好") + frame("c" * 5000), [], Watched)
    assert reached == []
    outcome(frame("hi") + frame(b"x", BINARY), [], Watched)
    assert reached == [frame(b"x", BINARY)]
