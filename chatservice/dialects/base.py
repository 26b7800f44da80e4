"""What a dialect is: pure, two halves. A parser (state of one connection) and a voice (shared by many).

Two more things the seam has to bear, so that Socket.IO fits it: one payload may hold no command or
several, and some are answered below the chat (an echo, a probe) by an `Answer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chatservice.domain.commands import Command
from chatservice.domain.events import Event


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes that go straight back to the sender, below the chat."""

    payload: bytes
    is_binary: bool


Parsed = Command | Answer


class Parser(Protocol):
    """One connection's decoder."""

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """What one message means, in order. Text payloads are valid UTF-8.

        :raises Refused: when this message makes no sense and the connection goes on.
        :raises Ended: when the connection must end.
        """


class Voice(Protocol):
    """How a dialect tells events, in one language. Peers with the same voice get the same bytes."""

    def encode(self, event: Event) -> bytes | None:
        """The payload of one message, or None if this dialect does not tell it. Never raises."""

    def __hash__(self) -> int: ...


class Dialect(Protocol):
    """A row of the registry.

    :ivar name: as in `--default-dialect` and in docs/wire.
    :ivar chats: whether its peers are in rooms at all.
    """

    name: str
    chats: bool

    def parser(self) -> Parser:
        """A decoder for one new connection."""

    def voice(self, lang: str, escape: bool) -> Voice:
        """The encoder for `lang`, the same object for the same arguments.

        :param escape: replace the five characters that mean something in HTML, in what is shown.
        """
