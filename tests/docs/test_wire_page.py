"""The example on the page about `/wire` is what happens, octet by octet."""

from __future__ import annotations

import json
from pathlib import Path

from wire.house import House, frame, handshake, read_frames

from chatservice.transports.wireview import KEPT_BYTES, MOST_BYTES, MOST_FRAMES, PING_EACH_S
from examples import examples, matches

PAGE = Path(__file__).parents[2] / "docs" / "wire" / "wire.md"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


def test_the_example() -> None:
    """Each line is what is told next, as far as the line goes; frames that are announced follow."""
    (_, example), *others = examples(PAGE, "told")
    assert not others
    house = House()
    transport = house.connect(house.door)
    house.feed(transport, handshake("/wire", KEY))
    _, _, data = transport.take().partition(b"\r\n\r\n")
    frames = read_frames(data)
    for line in example.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == ">":
            assert frames == [], "the page says less than happens"
            house.feed(transport, bytes.fromhex(rest))
            frames += read_frames(transport.take())
            continue
        assert frames, f"nothing is told for: {line}"
        tell = json.loads(frames.pop(0)[1])
        text = json.dumps(tell, ensure_ascii=False, separators=(",", ":"))
        assert tell["type"] == kind and matches(f"…{rest}…", text, {}), f"expected {line}\n     got {text}"
        if kind == "sent":
            opcode, payload = frames.pop(0)
            assert (opcode, payload.hex()) == (tell["opcode"], tell["payload"])
    assert [opcode for opcode, _ in frames] == [8]


def test_the_members() -> None:
    """The table names every member that is told, and the numbers are those of the code."""
    page = PAGE.read_text("utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    house = House()
    transport = house.connect(house.door)
    house.feed(transport, handshake("/wire", KEY) + frame("hi") + frame("1", 10) + frame(b"\x03\xe8", 8))
    _, _, data = transport.take().partition(b"\r\n\r\n")
    tells = [json.loads(payload) for _, payload in read_frames(data) if payload[:1] == b"{"]
    assert {tell["type"] for tell in tells} == set(rows) - {"enough"}
    for tell in tells:
        missing = [name for name in tell if name not in ("type", "t") and f"`{name}`" not in rows[tell["type"]]]
        assert missing == [], tell["type"]
    numbers = (f"first {KEPT_BYTES} are told", f"after {MOST_FRAMES} frames or {MOST_BYTES >> 20} MiB")
    assert all(number in page for number in numbers) and PING_EACH_S == 1
