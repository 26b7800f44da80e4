"""Events as bytes for a transport: a WebSocket text frame or a line, made once for all who take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Protocol

from chatservice.dialects.base import Batching, Id, Outcome, Voice
from chatservice.domain.events import Entry, Event
from chatservice.domain.results import Greeting
from chatservice.transports.deflate import WINDOW_BITS, deflate
from chatservice.wires.frames import TEXT, websocket_frame
from chatservice.wires.quick import Direct

DEFLATED = 0x40
"""RSV1 of a message's first frame (RFC 7692 section 6)."""

DEFLATE_FROM = 512
"""Shorter payloads fit into one packet with or without; only the time would be lost."""

DEFLATE_TO = 1024 * 1024
"""Longer payloads, which only `/echo` has, would keep everybody waiting while they are compressed."""


def deflated_frame(payload: bytes, opcode: int = TEXT, window_bits: int = WINDOW_BITS) -> bytes:
    """The same for peers that take permessage-deflate: compressed if that is worth it."""
    if DEFLATE_FROM <= len(payload) <= DEFLATE_TO:
        deflated = deflate(payload, window_bits)
        if len(deflated) < len(payload):
            return websocket_frame(deflated, DEFLATED | opcode)
    return websocket_frame(payload, opcode)


def line_frame(payload: bytes) -> bytes:
    """One line."""
    return payload + b"\n"


class Listener(Protocol):
    """What a format of bytes needs of its peers; see `Connected`."""

    direct: Direct | None

    def send_all(self, joined: bytes, frames: Sequence[bytes], events: Sequence[Event]) -> None: ...
    def send_rest(self, rest: bytes) -> None: ...


class VoiceFormat:
    """A voice in the frames of one kind of transport; see `Format`.

    :param bare_frame: makes the frame of an answer that holds a secret; the same if not given.
    """

    __slots__ = ("_bare_frame", "_frame", "transport", "voice")

    def __init__(
        self,
        voice: Voice,
        frame: Callable[[bytes], bytes],
        bare_frame: Callable[[bytes], bytes] | None = None,
        transport: str = "websocket",
    ) -> None:
        self.transport = transport
        self.voice = voice
        self._frame = frame
        self._bare_frame = bare_frame or frame

    size = staticmethod(len)

    def frames(self, event: Event) -> bytes | None:
        """See `Format.frames`."""
        payload = self.voice.encode(event)
        return None if payload is None else self._frame(payload)

    def own_frames(self, entry: Entry) -> bytes | None:
        """See `Format.own_frames`."""
        payload = self.voice.encode_own(entry)
        return None if payload is None else self._frame(payload)

    def join(self, frames: Sequence[bytes], events: Sequence[Event], *, is_batch: bool) -> bytes:
        """See `Format.join`."""
        if len(frames) == 1:
            return frames[0]
        if is_batch and isinstance(self.voice, Batching):
            return b"".join(map(self._frame, self.voice.batches(events)))
        return b"".join(frames)

    def hand_out(
        self, peers: Iterable[Listener], joined: bytes, frames: Sequence[bytes], events: Sequence[Event]
    ) -> None:
        """See `Format.hand_out`. Nearly all that a delivery costs beside the system call is in this loop."""
        size = len(joined)
        for peer in peers:
            direct = peer.direct
            if direct is None:
                peer.send_all(joined, frames, events)
                continue
            try:
                taken = direct(joined)
            except OSError:  # full, or gone: the transport keeps the bytes or finds out
                taken = 0
            if taken != size:
                peer.send_rest(joined[taken:])

    def answers(self, id: Id, outcome: Outcome) -> bytes:
        """The frames that answer a command, joined; empty if it is not answered."""
        # A token compressed together with strangers' words could be guessed from the length of the whole.
        frame = self._bare_frame if isinstance(outcome, Greeting) else self._frame
        return b"".join(map(frame, self.voice.answer(id, outcome)))


# Peers with the same voice must share one format object: it is the key of their audience.


@lru_cache(maxsize=128)
def websocket_format(voice: Voice, window_bits: int = 0) -> VoiceFormat:
    """The one format of that voice over WebSocket, with or without permessage-deflate.

    :param window_bits: of the window to compress with; 0 if not at all.
    """
    frame = partial(deflated_frame, window_bits=window_bits) if window_bits else websocket_frame
    return VoiceFormat(voice, frame, websocket_frame)


@lru_cache(maxsize=64)
def line_format(voice: Voice) -> VoiceFormat:
    """The one format of that voice in lines."""
    return VoiceFormat(voice, line_frame, transport="line")
