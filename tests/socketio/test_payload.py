"""Reading packets and payloads of both versions."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.socketio.errors import BadPacket
from chatservice.socketio.outgoing import POLL3, POLL3_BINARY, POLL4, Batch, Outgoing
from chatservice.socketio.payload import (
    decode_binary,
    decode_payload,
    decode_text,
    jsonp_answer,
    jsonp_body,
)


@pytest.mark.parametrize(
    ("version", "body", "packets"),
    [
        (4, b"4a\x1e2", [("4", "a"), ("2", "")]),
        (4, b"bAQI=", [("4", b"\x01\x02")]),
        (3, b"6:4hello", [("4", "hello")]),
        (3, "3:4😀2:4é".encode(), [("4", "😀"), ("4", "é")]),
        (3, b"6:b4AQI=1:2", [("4", b"\x01\x02"), ("2", "")]),
    ],
)
def test_text_payloads(version: int, body: bytes, packets: object) -> None:
    """Payloads as clients send them."""
    assert decode_payload(version, body, is_binary=False) == packets


def test_byte_payload() -> None:
    """A payload of bytes as version 3 has it."""
    body = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"
    assert decode_payload(3, body, is_binary=True) == [("4", "hello"), ("4", b"\x01\x02\x03\x04")]


@pytest.mark.parametrize(
    ("version", "body", "is_binary"),
    [
        (4, b"", False),
        (4, b"abc", False),
        (4, b"4a\x1e", False),
        (4, b"7", False),
        (4, b"b***", False),
        (4, b"\xff", False),
        (4, b"4", True),
        (3, b"", False),
        (3, b"abc", False),
        (3, b"4hello", False),
        (3, b"9:4hello", False),
        (3, b"0:", False),
        (3, b"-1:4", False),
        (3, "²:4a".encode(), False),
        (3, b"1234567890:4", False),
        (3, "2:4😀".encode(), False),
        (3, b"2:b", False),
        (3, b"3:b9A", False),
        (3, b"", True),
        (3, b"\x00\xff", True),
        (3, b"\x02\x01\xff4", True),
        (3, b"\x00\x0a\xff4", True),
        (3, b"\x00\x09\xff4", True),
        (3, b"\x00\x00\xff", True),
        (3, b"\x01\x01\xff\x09", True),
        (3, b"\x00\x02\xff4\xff", True),
        (3, b"\x00" + b"\x01" * 20 + b"\xff", True),
    ],
)
def test_bad_payloads(version: int, body: bytes, is_binary: bool) -> None:
    """What is no payload is refused as a whole."""
    with pytest.raises(BadPacket):
        decode_payload(version, body, is_binary=is_binary)


def test_binary_frames() -> None:
    """Version 4 frames are data only; version 3 frames begin with their type."""
    assert decode_binary(4, b"\x04a") == ("4", b"\x04a")
    assert decode_binary(3, b"\x04a") == ("4", b"a")
    for bad in (b"", b"\x07"):
        with pytest.raises(BadPacket):
            decode_binary(3, bad)
    with pytest.raises(BadPacket):
        decode_text(4, "")


PACKET = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e")).map(
        lambda text: (("4", text), Outgoing(b"4" + text.encode()))
    ),
    st.binary().map(lambda data: (("4", data), Outgoing(b"", (data,)))),
)


@given(st.lists(PACKET, min_size=1))
def test_what_is_written_can_be_read(pairs: list[tuple[tuple[str, str | bytes], Outgoing]]) -> None:
    """Any packets survive all three kinds of payload."""
    batch = Batch()
    for _, packet in pairs:
        batch = Batch(batch, packet)
    expected = [told for told, _ in pairs]
    assert decode_payload(4, batch.joined(POLL4), is_binary=False) == expected
    assert decode_payload(3, batch.joined(POLL3), is_binary=False) == expected
    assert decode_payload(3, batch.joined(POLL3_BINARY), is_binary=True) == expected


@given(st.sampled_from([3, 4]), st.binary(max_size=200), st.booleans())
def test_arbitrary_bodies(version: int, body: bytes, is_binary: bool) -> None:
    """Any bytes are packets or refused, and nothing else."""
    try:
        packets = decode_payload(version, body, is_binary=is_binary)
    except BadPacket:
        return
    assert packets and all(kind in "0123456" for kind, _ in packets)


@given(st.sampled_from([3, 4]), st.text(st.sampled_from("0123456789:b4=\x1e😀é")))
def test_nearly_payloads(version: int, text: str) -> None:
    """Text made of what payloads are made of is packets or refused."""
    with suppress(BadPacket):
        assert decode_payload(version, text.encode(), is_binary=False)


def test_jsonp_body() -> None:
    """Newlines come as two characters, and those two characters escaped."""
    assert jsonp_body(b"d=2%3A4%5Cn") == b"2:4\n"
    assert jsonp_body(b"d=3%3A4%5C%5Cn") == b"3:4\\n"
    for bad in (b"", b"x=1", b"\xff", b"d"):
        with pytest.raises(BadPacket):
            jsonp_body(bad)


def test_jsonp_answer() -> None:
    """The script holds nothing that could end its string or the page's script tag."""
    script = jsonp_answer("7", '3:4"</script>\u2028\u2029'.encode()).decode()
    assert script == '___eio[7]("3:4\\"\\u003c/script>\\u2028\\u2029");'
