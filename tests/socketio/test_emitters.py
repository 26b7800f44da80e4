"""What back ends publish for Socket.IO servers is read as it was meant, or not at all."""

from __future__ import annotations

import json
import pickle
from base64 import b64encode
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.socketio.emitters import MOST_ROOMS, BadEmission, Emission, read_json, read_packed


def packed(*data: Any, **more: Any) -> bytes:
    """As an emitter of Socket.IO writes it."""
    packet = {"type": 2, "data": list(data), "nsp": "/"} | more.pop("packet", {})
    return msgpack.packb(["emitter", packet, {"rooms": [], "flags": {}, "except": []} | more])  # type: ignore[no-any-return]


def told(**more: Any) -> bytes:
    """As a manager of python-socketio writes it."""
    fields = {"method": "emit", "event": "e", "data": [1], "binary": False, "namespace": "/", "room": None}
    return json.dumps(fields | {"skip_sid": None, "callback": None, "host_id": "h"} | more).encode()


def test_an_emission() -> None:
    """Event, arguments, rooms, who is left out, and whether it may be lost; binary stays binary."""
    flags = {"flags": {"volatile": True, "compress": False}}
    read = read_packed(packed("e", 1, b"\x00", {"a": None}, rooms=["r", 7, "r"], **flags, **{"except": ["x"]}))
    assert read == Emission("/", "e", (1, b"\x00", {"a": None}), ("r", "7"), frozenset("x"), True)
    old = msgpack.packb(["uid", {"type": 2, "data": ["e"], "nsp": "/other"}, {"rooms": None, "flags": {}}])
    assert read_packed(old) == Emission("/other", "e")
    assert read_packed(msgpack.packb(["uid", {"type": 5, "data": ["e"]}])) == Emission("/", "e")
    assert read_packed(packed("e", rooms=[""])).rooms == ()


def test_a_manager() -> None:
    """The same from python-socketio; attachments come in base64 and go to their places."""
    assert read_json(told()) == Emission("/", "e", (1,))
    assert read_json(told(room="r", skip_sid=["a", "b"])) == Emission(
        "/", "e", (1,), ("r",), frozenset({"a", "b"})
    )
    assert read_json(told(room=["r", "s"], namespace=None)).rooms == ("r", "s")
    hole = {"_placeholder": True, "num": 0}
    data = [["x", {"deep": [hole]}], b64encode(b"\x00\xff").decode()]
    assert read_json(told(binary=True, data=data)).arguments == ("x", {"deep": [b"\x00\xff"]})
    assert read_json(told(data=[])).arguments == () and read_json(told(data="one")).arguments == ("one",)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_no_pickle_is_read(protocol: int) -> None:
    """What python-socketio wrote before 5.14 is named, and not opened."""
    with pytest.raises(BadEmission) as caught:
        read_json(pickle.dumps({"method": "emit", "event": "e", "data": 1}, protocol))
    assert caught.value.why == "pickle"


@pytest.mark.parametrize("method", ["disconnect", "enter_room", "leave_room", "close_room", "callback"])
def test_orders_are_not_taken(method: str) -> None:
    """Who is sent away or put into a room is not an emitter's affair; neither are acknowledgements."""
    for payload in (told(method=method), told(callback=["r", "/", 1])):
        with pytest.raises(BadEmission) as caught:
            read_json(payload)
        assert caught.value.why == "order"


HOLES = [{"_placeholder": True, "num": n} for n in (1, -1, True, "0")]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"method":"emit"',
        told(event=None),
        told(event="connect"),
        told(room=[1.5]),
        told(room={"a": 1}),
        told(namespace=7),
        told(binary=True, data=["x"]),
        told(binary=True, data=[["x"], "***"]),
        told(binary=True, data=[["x"], 7]),
        told(room=[str(n) for n in range(MOST_ROOMS + 1)]),
        *(told(binary=True, data=[[hole], ""]) for hole in HOLES),
        told(binary=True, data=[json.loads("[" * 40 + "]" * 40), ""]),
    ],
)
def test_malformed_json(payload: bytes) -> None:
    """Whatever is wrong with it, it is refused in one way."""
    with pytest.raises(BadEmission) as caught:
        read_json(payload)
    assert caught.value.why == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        msgpack.packb({}),
        msgpack.packb([1]),
        msgpack.packb(["u", [], {}]),
        msgpack.packb(["u", {"type": 2, "data": ["e"]}, 7]),
        packed("e", packet={"type": 0}),
        packed("e", packet={"data": "e"}),
        packed(),
        packed(7),
        packed("disconnect"),
        packed("e", packet={"nsp": 7}),
        packed("e", rooms=[None]),
        packed("e", rooms=list(range(MOST_ROOMS + 1))),
    ],
)
def test_malformed_packets(payload: bytes) -> None:
    """The same for emitters of Socket.IO."""
    with pytest.raises(BadEmission) as caught:
        read_packed(payload)
    assert caught.value.why == "malformed"


@given(st.binary(max_size=100), st.integers(0, 400), st.integers(0, 20))
def test_noise(noise: bytes, at: int, cut: int) -> None:
    """Other bytes in good emissions, and bytes alone, are an emission or refused; nothing else happens."""
    for read, good in ((read_json, told(room="r", skip_sid="s")), (read_packed, packed("e", rooms=["r"]))):
        for payload in (noise, good[:at] + noise + good[at + cut :]):
            try:
                assert isinstance(read(payload), Emission)
            except BadEmission as bad:
                assert bad.why in ("malformed", "order", "pickle")
