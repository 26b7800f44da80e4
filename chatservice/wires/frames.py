"""WebSocket frames as a server writes them (RFC 6455 section 5.2): whole and unmasked."""

from __future__ import annotations

from struct import pack

TEXT, BINARY, PING, PONG = 0x1, 0x2, 0x9, 0xA


def websocket_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole, unmasked frame."""
    size = len(payload)
    if size <= 125:
        return bytes((0x80 | opcode, size)) + payload
    if size <= 0xFFFF:
        return pack("!BBH", 0x80 | opcode, 126, size) + payload
    return pack("!BBQ", 0x80 | opcode, 127, size) + payload
