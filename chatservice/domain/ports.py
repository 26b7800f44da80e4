"""The seams of the house: what the domain needs from the floors above and beside it.

Each docstring is the contract. Every seam has an embedded implementation, which is the default, and
one shared test file (tests/contract) that all implementations pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Body, Entry, Event
from chatservice.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry stands in its room for good; `duplicate` if an earlier try had put it there."""

    seq: int
    epoch: str
    ts: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A contiguous run of a room's log, oldest first.

    :ivar top: the newest number of the room, 0 when nothing was said yet.
    :ivar epoch: the epoch new entries get.
    :ivar forks: earlier epochs, oldest first, each with the last number that survived it (at most 16).
    :ivar first: the oldest number still kept; top + 1 when none is.
    """

    top: int
    epoch: str
    forks: tuple[tuple[str, int], ...]
    first: int
    entries: tuple[Entry, ...]


class LogSink(Protocol):
    """Implemented by the hub; always called in the reactor's thread."""

    def committed(self, entry: Entry) -> None:
        """An entry is in the log for good, whoever wrote it. MUST NOT raise."""


class Log(Protocol):
    """Durable, ordered, gapless per room.

    - The numbers of a room are 1, 2, 3 … in the order of `committed` calls (MUST).
    - `append` answers only after its durability class is reached (MUST).
    - A number never stands for two different entries under one epoch (MUST).
    - The same (room, user, cid) is stored once; a repeat answers with the first number (MUST).
    - `committed` is never called from inside `append` (MUST NOT re-enter).
    - A new epoch begins for a room whenever the log was opened anew since its last use (MUST).
    """

    durability: str

    def start(self, sink: LogSink) -> None:
        """Open it.

        :raises LogError: with one sentence for the operator when it cannot be opened.
        """

    def stop(self) -> None:
        """Write what waits and close. Blocks until it is done; later calls of `append` are refused."""

    def append(self, room: str, body: Body) -> Promise[Appended]:
        """Give `body` the room's next number and keep it.

        Rejected with `Refused`: `busy` (too much is waiting, or the disk is full), `cid_conflict` (that
        cid said something else before), `unavailable` (the log is closed).
        """

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """Entries after number `since`, at most `limit`; 0 asks for the tops only."""

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """The last `limit` entries with a number below `before` (None: below infinity), oldest first."""


class LogError(Exception):
    """The log cannot be used; its text is one sentence for the operator."""


class Format(Protocol):
    """The bytes one audience takes. Peers that share a format get the very same bytes object."""

    def frames(self, event: Event) -> bytes | None:
        """`event` as it goes onto the transport, or None if these peers are not told. MUST NOT raise."""


class Peer(Protocol):
    """A live connection as the hub sees it. Never raises, never blocks."""

    @property
    def format(self) -> Format:
        """What this peer takes; constant for the life of the connection."""

    def send(self, frames: bytes) -> None:
        """Queue bytes made by this peer's own format. Order is kept."""

    def deliver(self, event: Event) -> None:
        """Tell this peer alone. Order with `send` is kept."""

    def close(self, why: Disconnect) -> None:
        """Say goodbye and end the connection. More calls than one do nothing."""


class Randomness(Protocol):
    """Where ids come from."""

    def token(self) -> str:
        """A fresh word of letters and digits that nobody can guess and no one else has."""


Entries = Sequence[Entry]
