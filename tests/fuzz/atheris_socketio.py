"""Any Socket.IO packet, with any attachments, is read or is a bad packet."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.socketio.errors import BadPacket
    from chatservice.socketio.packet import Decoder, Packet, encode_parts

SEEDS = [
    b'0/admin,{"token":"x"}\n2/admin,12["say",{"a":1}]\n3/admin,12[]',
    b'52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]\nbone\nbtwo',
    b'4"no"\n1',
]


def target(data: bytes) -> None:
    decoder = Decoder()
    for part in data.split(b"\n"):
        try:
            packet = decoder.add(part[1:] if part[:1] == b"b" else part.decode())
        except (BadPacket, UnicodeDecodeError):
            return
        if isinstance(packet, Packet):
            encode_parts(packet.type, packet.namespace, packet.id, packet.data)


if __name__ == "__main__":
    fuzz(target, SEEDS)
