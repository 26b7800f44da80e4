"""Events as bytes for a transport."""

from __future__ import annotations

import pytest
from fakes import ANN, entry

from chatservice.dialects.registry import dialect
from chatservice.domain.events import Greeted
from chatservice.transports.frames import line_format, websocket_format
from chatservice.wires.frames import BINARY, PING, PONG, TEXT, websocket_frame


def decode(frame: bytes) -> tuple[bool, int, bool, bytes]:
    """RFC 6455 section 5.2 by hand: last, opcode, masked, payload. Nothing may be left over."""
    last, opcode, masked, size, at = (
        bool(frame[0] & 0x80),
        frame[0] & 0x7F,
        bool(frame[1] & 0x80),
        frame[1] & 0x7F,
        2,
    )
    if size == 126:
        size, at = int.from_bytes(frame[2:4], "big"), 4
        assert size > 125, "not the shortest form"
    elif size == 127:
        size, at = int.from_bytes(frame[2:10], "big"), 10
        assert size > 0xFFFF, "not the shortest form"
    assert len(frame) == at + size
    return last, opcode, masked, frame[at:]


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_every_length_form(size: int, opcode: int) -> None:
    """A frame is whole, unmasked, and its length stands in the shortest of the three forms."""
    payload = bytes(n % 251 for n in range(size))
    frame = websocket_frame(payload, opcode)
    assert decode(frame) == (True, opcode, False, payload)
    assert len(frame) - size == (2 if size <= 125 else 4 if size <= 65_535 else 10)


def test_opcodes_are_those_of_the_standard() -> None:
    """RFC 6455 section 11.8."""
    assert (TEXT, BINARY, PING, PONG) == (1, 2, 9, 10)


def test_a_voice_in_frames() -> None:
    """An event is one text frame; what a dialect does not tell is none."""
    told = websocket_format(dialect("text").voice("en", False))
    assert told.frames(entry(1, "你好")) == b"\x81\x06" + "你好".encode()
    assert told.frames(Greeted(ANN, "local")) is None


def test_a_voice_in_lines() -> None:
    """An event is one line with its end."""
    told = line_format(dialect("line").voice("en", False))
    assert told.frames(entry(1, "a\nb")) == "Annsay:a ⏎ b\n".encode()


def test_one_voice_is_one_format() -> None:
    """Peers with one voice share one format, which is what makes them one audience."""
    for make in (websocket_format, line_format):
        voice = dialect("text").voice("en", True)
        assert make(voice) is make(dialect("text").voice("en", True))
        assert make(voice) is not make(dialect("text").voice("zh-CN", True))
        assert make(voice) is not make(dialect("simple").voice("en", True))
