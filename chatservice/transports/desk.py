"""What the operator's page is told besides the rooms: who is connected, the settings, what went wrong lately."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast

from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher

from chatservice.domain.board import Board

COMPLAINTS = 20
COMPLAINT_CHARACTERS = 300


class Connection(Protocol):
    """A live connection, as far as it is counted; see `Connected`."""

    @property
    def dialect_name(self) -> str: ...
    @property
    def waiting_bytes(self) -> int: ...
    @property
    def lags(self) -> bool: ...


class Shown(NamedTuple):
    """A setting as it holds.

    :ivar source: `default`, `file`, `environment` or `flag`.
    """

    name: str
    value: str
    source: str


class Complaint(NamedTuple):
    """A line of the log that tells of trouble.

    :ivar at: seconds since 1970.
    """

    at: float
    level: str
    words: str


@dataclass(slots=True)
class Desk:
    """Of one process. Whoever knows puts it in here, so that neither page nor transports know of each other.

    :ivar connections: each factory's registry of the living.
    :ivar settings: tells the settings as they hold now.
    :ivar complaints: the newest last.
    :ivar closing: called when the service stops.
    :ivar board: where all workers say how they stand; None where there is one process.
    :ivar worker: our word in the log's lines; empty where we are not one of a parent's.
    """

    connections: list[Collection[Connection]] = field(default_factory=list)
    settings: Callable[[], Sequence[Shown]] = tuple
    complaints: deque[Complaint] = field(default_factory=lambda: deque(maxlen=COMPLAINTS))
    closing: list[Callable[[], None]] = field(default_factory=list)
    board: Board | None = None
    worker: str = ""

    def listen(self) -> None:
        """Hear what the log is told from now on."""
        observer = cast(ILogObserver, self.hear)
        globalLogPublisher.addObserver(observer)
        self.closing.append(lambda: globalLogPublisher.removeObserver(observer))

    def hear(self, event: dict[str, Any]) -> None:
        """An observer of the log; see `twisted.logger.ILogObserver`."""
        level = event.get("log_level")
        if level in (LogLevel.warn, LogLevel.error, LogLevel.critical):
            words = formatEvent(event)[:COMPLAINT_CHARACTERS]
            self.complaints.append(Complaint(event.get("log_time", 0.0), level.name, words))

    def close(self) -> None:
        """The service stops: those who look on are sent away."""
        for end in list(self.closing):
            end()
