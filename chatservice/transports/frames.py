"""Events as bytes for a transport: a WebSocket text frame or a line, made once for all who take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from chatservice.dialects.base import Id, Outcome, Voice
from chatservice.domain.events import Entry, Event
from chatservice.wires.frames import websocket_frame


def line_frame(payload: bytes) -> bytes:
    """One line."""
    return payload + b"\n"


class VoiceFormat:
    """A voice in the frames of one kind of transport; see `Format`."""

    __slots__ = ("_frame", "_voice")

    def __init__(self, voice: Voice, frame: Callable[[bytes], bytes]) -> None:
        self._voice = voice
        self._frame = frame

    def frames(self, event: Event) -> bytes | None:
        """See `Format.frames`."""
        payload = self._voice.encode(event)
        return None if payload is None else self._frame(payload)

    def own_frames(self, entry: Entry) -> bytes | None:
        """See `Format.own_frames`."""
        payload = self._voice.encode_own(entry)
        return None if payload is None else self._frame(payload)

    def join(self, frames: Sequence[bytes]) -> bytes:
        """See `Format.join`."""
        return b"".join(frames)

    def answers(self, id: Id, outcome: Outcome) -> bytes:
        """The frames that answer a command, joined; empty if it is not answered."""
        return b"".join(map(self._frame, self._voice.answer(id, outcome)))


# Peers with the same voice must share one format object: it is the key of their audience.


@lru_cache(maxsize=64)
def websocket_format(voice: Voice) -> VoiceFormat:
    """The one format of that voice over WebSocket."""
    return VoiceFormat(voice, websocket_frame)


@lru_cache(maxsize=64)
def line_format(voice: Voice) -> VoiceFormat:
    """The one format of that voice in lines."""
    return VoiceFormat(voice, line_frame)
