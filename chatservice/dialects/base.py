"""What a dialect is: pure, two halves. A parser (state of one connection) and a voice (shared by many).

Two more things the seam has to bear, so that Socket.IO fits it: one payload may hold no command or
several, and some are answered below the chat (an echo, a probe) by an `Answer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeVar, runtime_checkable

from chatservice.domain.commands import Command
from chatservice.domain.errors import Refused
from chatservice.domain.events import Entry, Event
from chatservice.domain.results import Result


class Silent(Enum):
    """The id of a command whose sender wants no answer."""

    SILENT = "silent"


SILENT: Final = Silent.SILENT

Id = int | str | Silent | None
"""The sender's own name for a command; None where a dialect has no such thing."""

Outcome = Result | Refused


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes that go straight back to the sender, below the chat."""

    payload: bytes
    is_binary: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with the sender's own id for it."""

    id: Id
    command: Command


@dataclass(frozen=True, slots=True)
class Speak:
    """How the peer wants to be spoken to; only before it has said hello.

    :ivar lang: the language of the service's sentences; None if it does not say.
    :ivar batches: it takes several events in one frame; see `Batching`.
    """

    lang: str | None
    batches: bool = False


Parsed = Asked | Answer | Speak


class Unreadable(Exception):
    """A message that holds no command; it is answered, and the connection goes on."""

    def __init__(self, refusal: Refused, id: Id = None) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.id = id


P = TypeVar("P", contravariant=True)


class Parser(Protocol[P]):
    """One connection's decoder. Payloads are bytes but for dialects of named events."""

    def parse(self, payload: P, is_binary: bool) -> Sequence[Parsed]:
        """What one message means, in order. Text payloads are valid UTF-8.

        :raises Unreadable: when this message makes no sense and the connection goes on.
        :raises Ended: when the connection must end.
        """


class Voice(Protocol):
    """How a dialect tells what happens, in one language. Peers with the same voice get the same bytes."""

    def encode(self, event: Event) -> bytes | None:
        """The payload of one message, or None if this dialect does not tell it. Never raises."""

    def encode_own(self, entry: Entry) -> bytes | None:
        """The same for the entry's own author, None if that is no different."""

    def answer(self, id: Id, outcome: Outcome) -> Sequence[bytes]:
        """The messages that answer a command. Never raises."""

    def __hash__(self) -> int: ...


@runtime_checkable
class Batching(Protocol):
    """A voice whose peers take several events in one message."""

    def batches(self, events: Sequence[Event]) -> Sequence[bytes]:
        """The payloads of as few messages as tell these events, in order. Never raises."""


class Dialect(Protocol):
    """A row of the registry.

    :ivar name: as in `--default-dialect` and in docs/wire.
    :ivar chats: whether its peers are in rooms at all.
    :ivar has_hello: whether a peer says who it is before anything else; otherwise it is somebody at once and is
        taken into a room.
    """

    name: str
    chats: bool
    has_hello: bool

    def parser(self) -> Parser[bytes]:
        """A decoder for one new connection."""

    def voice(self, lang: str, escape: bool) -> Voice:
        """The encoder for `lang`, the same object for the same arguments.

        :param escape: replace the five characters that mean something in HTML, in what is shown.
        """
