"""MessagePack is read as its own library reads it, and what is none is said to be none."""

from __future__ import annotations

import struct
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.socketio.msgpack import DEEPEST, BadMessagePack, unpack

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=40), inner, max_size=20)
)


@given(VALUES)
def test_what_the_library_writes(value: Any) -> None:
    """Any value is read as it was written, whichever of its forms that takes."""
    assert unpack(msgpack.packb(value)) == value


@pytest.mark.parametrize("size", [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536])
def test_every_length(size: int) -> None:
    """Text, bytes, arrays and maps of all sizes at which their form changes."""
    for value in ("x" * size, b"x" * size, [1] * size, {str(n): n for n in range(size)}):
        assert unpack(msgpack.packb(value)) == value
    assert unpack(msgpack.packb(1.5, use_single_float=True)) == 1.5


@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    """Arbitrary bytes are a value, and then the library says the same, or they are refused in one way."""
    try:
        value = unpack(data)
    except BadMessagePack:
        return
    try:
        same = msgpack.unpackb(data, ext_hook=lambda kind, data: None, timestamp=0, unicode_errors="replace")
    except ValueError:  # it refuses some dates and floats that we take
        return
    assert type(value) is type(same) or isinstance(value, str) or repr(value) != repr(same)


@given(VALUES, st.integers(0, 400))
def test_nothing_is_read_of_a_part(value: Any, size: int) -> None:
    """What is cut, and what has something behind it, is refused."""
    data = msgpack.packb(value)
    if size < len(data):
        with pytest.raises(BadMessagePack):
            unpack(data[:size])
    with pytest.raises(BadMessagePack):
        unpack(data + b"\x00")


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x00",
        b"\xc1",
        b"\x81\x01\x01",
        b"\x81\x90\x01",
        b"\x91" * (DEEPEST + 1) + b"\xc0",
        b"\xd4\x05\x00",
        b"\xc7\x03\xff\x00\x00\x00",
        b"\xd7\x00" + b"\x7f" * 8,
    ],
)
def test_what_is_refused(data: bytes) -> None:
    """Lengths that lie, keys that are no strings, depths without an end, extensions that nobody knows."""
    with pytest.raises(BadMessagePack):
        unpack(data)


def test_dates() -> None:
    """Dates in all forms are what JSON would have of them; `undefined` is null."""
    noon = 1_795_000_000
    forms = [
        b"\xd6\xff" + struct.pack(">I", noon),
        b"\xd7\xff" + struct.pack(">Q", (250_000_000 << 34) | noon),
        b"\xc7\x0c\xff" + struct.pack(">Iq", 250_000_000, noon),
        b"\xd7\x00" + struct.pack(">q", noon * 1000 + 250),
        b"\xd4\x00\x00",
    ]
    whole, *others, nothing = map(unpack, forms)
    assert whole == "2026-11-18T11:06:40.000Z" and nothing is None
    assert others == ["2026-11-18T11:06:40.250Z"] * 3
