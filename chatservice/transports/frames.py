"""Events as bytes for a transport: a WebSocket text frame or a line, made once for all who take it."""

from __future__ import annotations

from functools import lru_cache
from struct import pack

from chatservice.dialects.base import Voice
from chatservice.domain.events import Event

TEXT, BINARY, PING, PONG = 0x1, 0x2, 0x9, 0xA


def websocket_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole, unmasked frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size <= 125:
        return bytes((0x80 | opcode, size)) + payload
    if size <= 0xFFFF:
        return pack("!BBH", 0x80 | opcode, 126, size) + payload
    return pack("!BBQ", 0x80 | opcode, 127, size) + payload


class WebSocketFormat:
    """A voice in text frames."""

    __slots__ = ("_voice",)

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def frames(self, event: Event) -> bytes | None:
        """See `Format.frames`."""
        payload = self._voice.encode(event)
        return None if payload is None else websocket_frame(payload)


class LineFormat:
    """A voice in lines."""

    __slots__ = ("_voice",)

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def frames(self, event: Event) -> bytes | None:
        """See `Format.frames`."""
        payload = self._voice.encode(event)
        return None if payload is None else payload + b"\n"


# Peers with the same voice must share one format object: it is the key of their audience.
@lru_cache(maxsize=64)
def websocket_format(voice: Voice) -> WebSocketFormat:
    """The one format of that voice over WebSocket."""
    return WebSocketFormat(voice)


@lru_cache(maxsize=64)
def line_format(voice: Voice) -> LineFormat:
    """The one format of that voice in lines."""
    return LineFormat(voice)
