"""What a session needs of the network, and what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

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


class Elsewhere(Protocol):
    """Sessions that live in another process of this server; see `Options.elsewhere`."""

    def take(self, sid: str, request: Any, gone: Callable[[], object]) -> bool:
        """Have the process that holds this session answer a twisted.web request, whose body has been read; it may
        be an upgrade. MUST NOT raise.

        :param gone: to be called if that process turns out to be gone and nothing was answered; not after that
            request has ended.
        :returns: False if there is no such process: then the request is answered here.
        """


class Nobody:
    """The handler before and after."""

    def message(self, data: str | bytes) -> None: ...
    def closed(self, reason: str) -> None: ...
    def pressed(self, is_pressed: bool) -> None: ...


NOBODY = Nobody()
