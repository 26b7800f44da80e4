"""Bytes by hand: what no well-behaved library would send."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

PATIENCE_S = 15.0
TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


def connected(port: int) -> socket.socket:
    """A bare connection."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S)


def exchange(port: int, sent: bytes) -> bytes:
    """Send these bytes and read to the end, which the server must make: the answer."""
    with connected(port) as bare:
        # It may close before it has read all; what it said before is still there to be read.
        with suppress(ConnectionError):
            bare.sendall(sent)
        return read_to_end(bare)


def read_to_end(bare: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    with suppress(ConnectionError):
        while more := bare.recv(65_536):
            received += more
    return received


def handshake(path: str = "/", **headers: str) -> bytes:
    """A WebSocket handshake; `Sec_WebSocket_Protocol="x"` adds a header."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return HANDSHAKE.format(path=path, more=more).encode()


def frame(opcode: int, payload: bytes, *, first_bits: int = 0x80, masked: bool = True) -> bytes:
    """One frame.

    :param first_bits: FIN and the reserved bits.
    """
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first_bits | opcode, mask_bit | len(payload))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first_bits | opcode, mask_bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first_bits | opcode, mask_bit | 127, len(payload))
    # A mask of zeros changes nothing: the payload stays readable here.
    return head + (bytes(4) if masked else b"") + payload


def close_code_after(port: int, path: str, sent: bytes, **headers: str) -> int | None:
    """Shake hands, send these bytes, and read until the server closes: its close code, if it tells one."""
    with connected(port) as bare:
        bare.sendall(handshake(path, **headers))
        received = b""
        while b"\r\n\r\n" not in received:
            more = bare.recv(65_536)
            assert more, received
            received += more
        head, _, frames = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        with suppress(ConnectionError):
            bare.sendall(sent)
        answered = False
        while (code := _close_code(frames)) is None or not answered:
            if code is not None:
                answered = True  # an orderly end: the close frame is answered, then the server hangs up
                with suppress(ConnectionError):
                    bare.sendall(frame(CLOSE, struct.pack("!H", code)))
            try:
                more = bare.recv(65_536)
            except ConnectionError:
                more = b""
            if not more:
                return code
            frames += more
        read_to_end(bare)
        return code


def _close_code(frames: bytes) -> int | None:
    while len(frames) >= 2:
        size, begin = frames[1], 2
        if size == 126:
            size, begin = int.from_bytes(frames[2:4], "big"), 4
        elif size == 127:
            size, begin = int.from_bytes(frames[2:10], "big"), 10
        if len(frames) < begin + size:
            return None
        if frames[0] & 0x0F == CLOSE:
            return int.from_bytes(frames[begin : begin + 2], "big")
        frames = frames[begin + size :]
    return None
