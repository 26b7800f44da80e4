"""Any Engine.IO payload or packet of any version is read or is a bad packet."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.socketio.errors import BadPacket
    from chatservice.socketio.payload import decode_binary, decode_payload, decode_text, jsonp_body

SEEDS = [
    b"\x014hello\x1eb4aGk=\x1e2probe",
    b"\x006:4hello2:b4",
    b"\xff\x00\x06\xff4hello\x01\x02\xff\x04a",
    b"\x00d=5%3A4a%0Ab",
]


def target(data: bytes) -> None:
    version, is_binary = (3 + data[0] % 2, data[0] > 127) if data else (4, False)
    body = data[1:]
    for read in (
        lambda: decode_payload(version, body, is_binary=is_binary),
        lambda: decode_binary(version, body),
        lambda: decode_text(version, body.decode()),
        lambda: decode_payload(version, jsonp_body(body), is_binary=False),
    ):
        try:
            read()
        except (BadPacket, UnicodeDecodeError):
            continue


if __name__ == "__main__":
    fuzz(target, SEEDS)
