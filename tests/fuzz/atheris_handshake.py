"""Any request head is a handshake with wishes or is denied with a status."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.transports.surroundings import Manners
    from chatservice.transports.wishes import read_wishes
    from chatservice.wires.handshake import Denied, read_handshake, refusal
    from chatservice.wires.headers import FORGED

SEEDS = [
    b"GET /text?room=a&last=5&since=9&lang=zh HTTP/1.1\r\nHost: [::1]:80\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nOrigin: https://a.example\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1, x",
    b"GET / HTTP/1.0\r\nHost: a",
]


def target(data: bytes) -> None:
    head = data + b"\r\n\r\n"
    if FORGED.search(head):
        return  # the front door does not let it in
    manners = Manners("en", "simple", "lobby", loopback=bool(len(data) % 2))
    try:
        request = read_handshake(head)
        manners.admits(request.origin, request.host)
        wishes = read_wishes(request.path, request.query, request.subprotocols, manners)
    except Denied as denied:
        assert refusal(denied).count(b"\r\n\r\n") == 1
        return
    assert 0 <= wishes.join.last <= 200


if __name__ == "__main__":
    fuzz(target, SEEDS)
