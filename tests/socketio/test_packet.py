"""Socket.IO packets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.socketio.errors import BadPacket
from chatservice.socketio.event import Event
from chatservice.socketio.jsontext import clean_text, dumps, loads
from chatservice.socketio.outgoing import POLL4
from chatservice.socketio.packet import ACK, EVENT, Decoder, Packet, encode


@pytest.mark.parametrize(
    ("messages", "packet"),
    [
        (["0"], Packet("0")),
        (['0/a,{"x":1}'], Packet("0", "/a", data={"x": 1})),
        (["0/a"], Packet("0", "/a")),
        (["0/a?t=1,"], Packet("0", "/a", "t=1")),
        (["1/a,"], Packet("1", "/a")),
        (['2["x"]'], Packet("2", data=["x"])),
        (['2/a,12["x",1]'], Packet("2", "/a", id=12, data=["x", 1])),
        (["312[]"], Packet("3", id=12, data=[])),
        (['51-7["x",{"_placeholder":true,"num":0}]', b"a"], Packet("2", id=7, data=["x", b"a"])),
        (['50-["x"]'], Packet("2", data=["x"])),
        (['61-/a,7[[{"_placeholder":true,"num":0}]]', b"a"], Packet("3", "/a", id=7, data=[[b"a"]])),
        (["2[1]"], Packet("2", data=[1])),
        (['2["x","\\ud83d"]'], Packet("2", data=["x", "\ufffd"])),
    ],
)
def test_packets(messages: list[str | bytes], packet: Packet) -> None:
    """Packets as clients send them."""
    decoder = Decoder()
    *before, last = [decoder.add(message) for message in messages]
    assert before == [None] * len(before)
    assert last == packet


@pytest.mark.parametrize(
    "message",
    [
        "", "7", "abc", "2", "2{}", "2[]", "2[null]", "2[true]", '2["connect"]', '2["disconnecting"]', "0[]",
        "0 1x", "1{}", "4{}", "3[]", "31{}", '5["x"]', '511-["x"]', '21-["x"]', '2abc["x"]', '2["x"', '2["x",NaN]',
        "2" + "9" * 16 + '["x"]',
        '2["x",' + "[" * 201 + "]" * 201 + "]", '2["x",' + '{"a":' * 300 + "1" + "}" * 300 + "]",
        '2["x",' + "[" * 5000, '51-["x",{"_placeholder":true,"num":1}', '2["x","\\ud83d]',
    ],
)  # fmt: skip
def test_bad_packets(message: str) -> None:
    """What is no packet is refused."""
    with pytest.raises(BadPacket):
        Decoder().add(message)


@pytest.mark.parametrize(
    "said",
    [
        '51-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        '61-1[[{"_placeholder":true,"num":0}],{"a":{"_placeholder":true,"num":0}}]',
        '51-["x"]',
        '52-["x",{"_placeholder":true,"num":1}]',
    ],
)
def test_each_attachment_once(said: str) -> None:
    """An attachment named twice, or not at all, is refused: sent on, each mention would be one of its own."""
    decoder = Decoder()
    decoder.add(said)
    with pytest.raises(BadPacket):
        for _ in range(int(said[1])):
            decoder.add(b"a")


def test_attachments_out_of_place() -> None:
    """Bytes nobody waits for, text instead of bytes, and placeholders for nothing are refused."""
    with pytest.raises(BadPacket):
        Decoder().add(b"x")
    decoder = Decoder()
    decoder.add('51-["x",{"_placeholder":true,"num":0}]')
    with pytest.raises(BadPacket):
        decoder.add('2["x"]')
    for number in ("-1", "1", "true", '"0"', "0.0"):
        decoder = Decoder()
        decoder.add(f'51-["x",{{"_placeholder":true,"num":{number}}}]')
        with pytest.raises(BadPacket):
            decoder.add(b"x")


def test_encoding() -> None:
    """Packets are compact; bytes become attachments of a binary packet."""
    assert encode(EVENT, "/a", 3, ("x", 1)).form(POLL4) == b'42/a,3["x",1]'
    assert encode(ACK, "/", 3, []).form(POLL4) == b"433[]"
    assert encode(ACK, "/", 3, [b"a"]).form(POLL4) == b'461-3[{"_placeholder":true,"num":0}]\x1ebYQ=='


def test_marked_event() -> None:
    """With recovery an event has its offset as last argument, unless it asks for an acknowledgement."""
    event = Event("/", "x", (b"a",))
    assert event.marked("e-1").form(POLL4) == b'451-["x",{"_placeholder":true,"num":0},"e-1"]\x1ebYQ=='
    assert event.marked("e-1") is event.marked("e-1")
    assert event.packet.form(POLL4) == b'451-["x",{"_placeholder":true,"num":0}]\x1ebYQ=='
    asking = Event("/", "x", (), 5)
    assert asking.marked("e-1") is asking.packet


def test_odd_values() -> None:
    """Values that JSON has no word for are said as JavaScript would, or refused with a TypeError."""
    assert dumps([float("nan"), {1: 2}, (3,), {4}, 2**70, "\ud83d\ude00\ud83d"])[0] == (
        '[null,{"1":2},[3],[4],1.1805916207174113e+21,"😀\ufffd"]'.encode()
    )
    for odd in (object(), [lambda: 0]):
        with pytest.raises(TypeError):
            dumps(odd)
    nested: list[Any] = []
    for _ in range(3000):
        nested = [nested]
    with pytest.raises(TypeError):
        dumps(nested)


def test_attachments_after_a_second_attempt() -> None:
    """Bytes beside a value that orjson refuses at first are attached once."""
    assert dumps([b"a", "\ud83d", b"b"])[1] == [b"a", b"b"]


def test_cleaning() -> None:
    """Pairs are joined, lone halves replaced."""
    assert clean_text("a\ud83d\ude00b\ude00") == "a😀b\ufffd"
    assert loads('{"\\ud83d":["\\ude00",1]}') == {"\ufffd": ["\ufffd", 1]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text().filter(lambda key: key != "_placeholder"), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, max_size=4), st.none() | st.integers(0, 10**15 - 1))
def test_what_is_written_can_be_read(arguments: list[Any], id: int | None) -> None:
    """Any arguments survive, bytes included, as long as there are no more attachments than allowed."""
    packet = encode(EVENT, "/a", id, ["x", *arguments])
    parts = [data for _, data in packet._parts]
    decoder = Decoder()
    try:
        found = [decoder.add(parts[0][1:].decode()), *(decoder.add(part) for part in parts[1:])][-1]
    except BadPacket:
        assert len(parts) > 11
        return
    assert found == Packet("2", "/a", id=id, data=["x", *arguments])


@given(st.lists(st.text() | st.binary(max_size=4) | st.text(st.sampled_from('0123456-/,["x]{}')), max_size=6))
def test_arbitrary_messages(messages: list[str | bytes]) -> None:
    """Any messages are packets or refused, and nothing else."""
    decoder = Decoder()
    for message in messages:
        try:
            decoder.add(message)
        except BadPacket:
            return
