"""Any Sec-WebSocket-Extensions header is answered as RFC 7692 allows, or not at all."""

from __future__ import annotations

import zlib

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.transports.deflate import agree, deflate

SEEDS = [
    b"permessage-deflate; client_max_window_bits; server_max_window_bits=9, x; a=b",
    b'permessage-deflate;server_no_context_takeover;server_max_window_bits="15"',
]


def target(data: bytes) -> None:
    header = data.decode("latin-1")
    agreed = agree(header)
    if agreed is None:
        return
    assert "permessage-deflate" in header and 9 <= agreed.window_bits <= 12
    assert ("server_max_window_bits" in agreed.answer) <= ("server_max_window_bits" in header)
    assert "client_max_window_bits" not in agreed.answer
    stream = zlib.decompressobj(-agreed.window_bits)
    assert stream.decompress(deflate(data * 3, agreed.window_bits) + b"\0\0\xff\xff") == data * 3


if __name__ == "__main__":
    fuzz(target, SEEDS)
