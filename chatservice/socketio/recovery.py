"""Connection state recovery (Socket.IO 4.6): what a namespace remembers so that a lost socket can come back as
the same and be told what it missed.

The client hands back one opaque string, the offset it has seen last. Ours is `<epoch>-<number>`: the epoch is
this process's start, the number counts the events of the namespace. Four holes of the reference are closed:

(a) who has had no event yet has no offset; the position at its connect is remembered and counts then.
(b) a volatile event that ends in a string would be taken for an offset; every event carries one, so none is.
(c) the offset of a quiet client may be forgotten; what was sent long before the loss has arrived: no gap.
(d) a client may be back before its old connection is found to be dead; the old one is ended, then it is restored.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatservice.socketio.event import Event
from chatservice.socketio.options import Options

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that was sent.

    :ivar rooms: to whom; None for the whole namespace.
    :ivar except_: rooms left out.
    """

    number: int
    at: float
    event: Event
    rooms: frozenset[str] | None
    except_: frozenset[str]


@dataclass(slots=True)
class Saved:
    """A lost socket.

    :ivar began: the position of the log when it connected first.
    :ivar rooms: its rooms, each with the position at which it joined.
    """

    id: str
    pid: str
    began: int
    rooms: dict[str, int]
    data: dict[str, Any]
    lost_at: float

    def was_told(self, entry: Entry) -> bool:
        """The entry was, or would have been, sent to it."""
        if any(room in self.rooms for room in entry.except_):
            return False
        if entry.rooms is None:
            return entry.number > self.began
        return any(entry.number > self.rooms[room] for room in entry.rooms if room in self.rooms)


class Recovery:
    """The memory of one namespace.

    :ivar position: the number of the last entry.
    """

    def __init__(self, options: Options, now: Callable[[], float]) -> None:
        self._options = options
        self._now = now
        self._epoch = secrets.token_hex(6)
        self._log: deque[Entry] = deque()
        self._bytes = 0
        self._forgotten = 0
        self._forgotten_at = float("-inf")
        self._saved: OrderedDict[str, Saved] = OrderedDict()
        self._arrival_s = options.ping_interval_s + options.ping_timeout_s
        self.position = 0

    @property
    def offset(self) -> str:
        """What a client that has been told everything may hand back."""
        return f"{self._epoch}-{self.position}"

    def new_pid(self) -> str:
        """A secret by which a socket is known when it comes back: 120 bits."""
        return secrets.token_urlsafe(15)

    def add(self, event: Event, rooms: frozenset[str] | None, except_: frozenset[str] = NOBODY) -> None:
        """An event is sent."""
        self.position += 1
        self._log.append(Entry(self.position, self._now(), event, rooms, except_))
        self._bytes += event.packet.size
        self._prune()

    def save(self, saved: Saved) -> None:
        """A socket is lost."""
        self._saved[saved.pid] = saved
        while len(self._saved) > self._options.recovery_sockets:
            self._saved.popitem(last=False)
        self._prune()

    def restore(self, pid: str, offset: str | None) -> tuple[Saved, list[Event]] | None:
        """The lost socket and what it missed; None if it cannot be said for certain."""
        self._prune()
        saved = self._saved.pop(pid, None)
        if saved is None:
            return None
        position = saved.began if offset is None else self._read(offset)
        if position is None:
            return None
        if self._forgotten > position and self._forgotten_at >= saved.lost_at - self._arrival_s:
            return None
        missed = [entry.event for entry in self._log if entry.number > position and saved.was_told(entry)]
        return saved, missed

    def _read(self, offset: str) -> int | None:
        epoch, _, number = offset.rpartition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        return int(number) if int(number) <= self.position else None

    def _prune(self) -> None:
        now, options, log = self._now(), self._options, self._log
        oldest = now - options.recovery_s - self._arrival_s
        while log and (
            log[0].at < oldest or len(log) > options.recovery_events or self._bytes > options.recovery_bytes
        ):
            entry = log.popleft()
            self._bytes -= entry.event.packet.size
            self._forgotten, self._forgotten_at = entry.number, entry.at
        while self._saved:
            pid, saved = next(iter(self._saved.items()))
            if saved.lost_at >= now - options.recovery_s:
                break
            del self._saved[pid]
