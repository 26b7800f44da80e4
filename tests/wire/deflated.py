"""Somebody whose WebSocket takes permessage-deflate, written from RFC 7692 and not from our side of it."""

from __future__ import annotations

import zlib

from wire.house import House, frame
from wire.people import WebSocketPerson

OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
RSV1 = 4
TAIL = b"\x00\x00\xff\xff"


def deflated(payload: bytes | str, *, flush: int = zlib.Z_SYNC_FLUSH, bits: int = 15) -> bytes:
    """A message as a client sends it, with no memory of the one before."""
    if isinstance(payload, str):
        payload = payload.encode()
    stream = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (stream.compress(payload) + stream.flush(flush)).removesuffix(TAIL)


def message(payload: bytes | str, opcode: int = 1) -> bytes:
    """One compressed message in one frame."""
    return frame(deflated(payload), opcode, rsv=RSV1)


class DeflatedPerson(WebSocketPerson):
    """Offers compression, and notes which frames came compressed.

    :ivar compressed: their payloads as they came.
    """

    def __init__(self, house: House, path: str | None = None, *headers: str, bits: int = 15, **query: str) -> None:
        self.compressed: list[bytes] = []
        self._bits = bits
        super().__init__(house, path, *(headers or (OFFER,)), **query)

    def raw(self) -> bytes:
        """All bytes that came since the last call."""
        return self.transport.take()

    def frames(self) -> list[tuple[int, bytes]]:
        """What came, inflated. Each message must be readable by itself."""
        data, plain = self.raw(), b""
        while data:
            size, at = data[1], 2
            if size >= 126:
                at = 4 if size == 126 else 10
                size = int.from_bytes(data[2:at], "big")
            first, payload = data[0], data[at : at + size]
            if first & 0x40:
                self.compressed.append(payload)
                stream = zlib.decompressobj(-self._bits)
                inflated = stream.decompress(payload + TAIL)
                assert not stream.unconsumed_tail and not stream.unused_data
                head = bytes((first & 0xBF, 127)) + len(inflated).to_bytes(8, "big")
                plain += head + inflated
            else:
                plain += data[: at + size]
            data = data[at + size :]
        self.transport.io.write(plain)
        return super().frames()
