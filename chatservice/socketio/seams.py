"""What a session needs of the network, and what it is for."""

from __future__ import annotations

from typing import Protocol

from chatservice.socketio.outgoing import Batch


class Poll(Protocol):
    """A GET that waits."""

    def answer(self, batch: Batch, form: int) -> None:
        """Answer it with these packets; MUST NOT call back, MUST NOT raise."""


class Wire(Protocol):
    """A WebSocket.

    :ivar is_full: its transport has more than it can send; it says `resume` when it has not.
    """

    is_full: bool

    def write(self, data: bytes) -> None:
        """Send whole frames; MUST NOT raise."""

    def close(self) -> None:
        """Close it in order; MUST NOT call back at once."""


class Handler(Protocol):
    """What a session is for. What it raises, but for `BadPacket`, is reported and changes nothing."""

    def message(self, data: str | bytes) -> None:
        """A message has come. Raises `BadPacket` to have the session closed."""

    def closed(self, reason: str) -> None:
        """The session is over; said once."""

    def pressed(self, is_pressed: bool) -> None:
        """More waits for the peer than is good (True), or it has taken all of it (False). Said at the end of a
        turn only; what came and was taken within one turn is said as False alone."""


class Nobody:
    """The handler before and after."""

    def message(self, data: str | bytes) -> None: ...
    def closed(self, reason: str) -> None: ...
    def pressed(self, is_pressed: bool) -> None: ...


NOBODY = Nobody()
