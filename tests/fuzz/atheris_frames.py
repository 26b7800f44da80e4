"""Any bytes in any pieces on `/echo`, with compression: the short way in reads what Autobahn reads."""

from __future__ import annotations

from collections.abc import Iterator

from fuzzing import fuzz, instrumented

with instrumented():
    from wire.house import House, close_frame, frame
    from wire.people import WebSocketPerson

    from chatservice.transports.websocket import ChatWebSocket

SEEDS = [
    b"\x05" + frame("hi") + frame("there", 0, fin=False) + frame(b"x", 9) + close_frame(1000),
    b"\xff" + frame("a", fin=False) + frame("b", 0) + frame(b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4),
]


class TheLongWay(ChatWebSocket):
    """Leaves everything to Autobahn."""

    def _read_quickly(self, data: bytes) -> bytes:
        return data


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(data), step):
        yield data[at : at + step]


def outcome(data: bytes, step: int, protocol: type[ChatWebSocket]) -> object:
    house = House(compression=True)
    house.chat.protocol = protocol
    one = WebSocketPerson(house, "/echo", "Sec-WebSocket-Extensions: permessage-deflate")
    for piece in pieces(data, step):
        one.feed(piece)
    told = one.transport.take(), one.transport.disconnecting
    one.leave()
    assert house.troubles == []
    return told


def target(data: bytes) -> None:
    step, data = data[0] + 1 if data else 1, data[1:]
    assert outcome(data, step, ChatWebSocket) == outcome(data, step, TheLongWay)


if __name__ == "__main__":
    fuzz(target, SEEDS)
