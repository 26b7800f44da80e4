"""Any bytes on the line port, in any pieces: whole lines come back, and no fault of ours."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from wire.house import House
    from wire.people import LinePerson

SEEDS = [
    b"\xffhello\n/nick Ann\r\n/join attic\n/history 3\n/since 0\n/me waves\n//x\nbye\n",
    b"\x03GET / HTTP/1.1\r\n",
]


def target(data: bytes) -> None:
    house = House()
    one = LinePerson(house)
    step, data = data[0] + 1 if data else 1, data[1:]
    for at in range(0, len(data), step):
        if not one.transport.disconnecting:
            one.feed(data[at : at + step])
    one.heard()
    one.leave()
    assert house.troubles == [] and house.hub.rooms == {}


if __name__ == "__main__":
    fuzz(target, SEEDS)
