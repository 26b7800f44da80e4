"""The wire forms of packets, and how batches are shared."""

from __future__ import annotations

import gzip

import pytest

from chatservice.socketio.outgoing import (
    POLL3,
    POLL3_BINARY,
    POLL4,
    WS3,
    WS3_BASE64,
    WS4,
    WS4_BASE64,
    Batch,
    Outgoing,
    utf16_length,
)
from chatservice.socketio.turn import Turn


@pytest.mark.parametrize(
    ("form", "bytes_"),
    [
        (WS4, b"\x81\x03451\x82\x02\x01\x02"),
        (WS3, b"\x81\x03451\x82\x03\x04\x01\x02"),
        (WS4_BASE64, b"\x81\x03451\x81\x05bAQI="),
        (WS3_BASE64, b"\x81\x03451\x81\x06b4AQI="),
        (POLL4, b"451\x1ebAQI="),
        (POLL3, b"3:4516:b4AQI="),
        (POLL3_BINARY, b"\x00\x03\xff451\x01\x03\xff\x04\x01\x02"),
    ],
)
def test_forms(form: int, bytes_: bytes) -> None:
    """A text packet with an attachment has these bytes on each wire."""
    assert Outgoing(b"451", [b"\x01\x02"]).form(form) == bytes_


def test_lengths_of_version_3() -> None:
    """Lengths count UTF-16 units in text payloads, bytes in binary ones, digit by digit."""
    assert utf16_length("a😀é".encode()) == 4
    assert Outgoing("4😀".encode()).form(POLL3) == "3:4😀".encode()
    assert Outgoing(b"4" + b"x" * 122).form(POLL3_BINARY)[:5] == b"\x00\x01\x02\x03\xff"


def test_forms_are_made_once() -> None:
    """All who are sent a packet are sent the same bytes object."""
    packet = Outgoing(b"4x")
    assert packet.form(WS4) is packet.form(WS4)
    batch = Batch(Batch(), packet)
    assert batch.joined(WS4) is packet.form(WS4)
    assert batch.zipped(POLL4) is batch.zipped(POLL4)
    assert gzip.decompress(batch.zipped(POLL4)) == b"4x"


def test_batches_are_shared_within_a_turn() -> None:
    """Who is told the same in the same order has the same batch; the joined bytes are made once."""
    calls: list[object] = []
    turn = Turn(calls.append, calls.append)
    first, second = Outgoing(b"4a"), Outgoing(b"4b")
    ann = turn.grow(turn.grow(turn.root, first), second)
    bob = turn.grow(turn.grow(turn.root, first), second)
    assert ann is bob
    assert ann.joined(POLL4) == b"4a\x1e4b"
    assert turn.grow(turn.root, second) is not ann
    assert turn.grow(turn.root, second).joined(POLL4) == b"4b"


def test_batches_do_not_outlive_their_turn() -> None:
    """At the end of the turn the root forgets what grew on it."""
    calls: list[object] = []
    turn = Turn(lambda call: calls.append(call), calls.append)
    turn.grow(turn.root, Outgoing(b"4a"))
    (end,) = calls
    assert callable(end)
    end()
    assert turn.root.child is None


def test_a_broken_flush_is_reported() -> None:
    """An error in one session's flush is reported, and the next one is flushed."""
    calls: list[object] = []
    errors: list[BaseException] = []
    flushed: list[str] = []

    class Broken:
        def flush(self) -> None:
            raise RuntimeError("broken")

    class Whole:
        def flush(self) -> None:
            flushed.append("whole")

    turn = Turn(calls.append, errors.append)
    turn.add(Broken())
    turn.add(Whole())
    (end,) = calls
    assert callable(end)
    end()
    assert flushed == ["whole"] and [str(error) for error in errors] == ["broken"]


def test_bundle() -> None:
    """Several packets bundled are sent as they would be one by one."""
    bundle = Outgoing.bundle([Outgoing(b"4a"), Outgoing(b"451", [b"\x01"])])
    assert bundle.form(POLL4) == b"4a\x1e451\x1ebAQ=="
    assert bundle.has_binary
    assert Outgoing.message("\ud83d").form(POLL4) == b"4\xef\xbf\xbd"
