"""What an archive does: it keeps what Redis does not keep any more, for old pages and search.

Redis gives the numbers and has the newest entries; the archive has all of them, a moment later. It is a copy of
the log that is written by one worker at a time and read by all. Who has an account, how far somebody has read and
which sessions there are is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from chatservice.domain.commands import Position
from chatservice.domain.events import Entry
from chatservice.domain.ports import Hit, Page
from chatservice.domain.promise import Promise
from chatservice.domain.recovery import resolve
from chatservice.logs.redis_codec import Record

Forks = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a room stands in the archive.

    :ivar top: the newest number it has; `epoch` and `forks` the room's as of the last copying.
    :ivar first: everything from here to `top` is there; below may be a hole.
    :ivar ts: when the newest was said, in milliseconds since 1970.
    :ivar rules: the room's standing orders, as `encode_rules` writes them.
    """

    top: int
    epoch: str
    first: int
    ts: int
    forks: Forks
    rules: str

    @property
    def position(self) -> Position:
        """Up to where the archive knows the room, as if it were a client of it."""
        return Position(self.epoch, self.top)

    def valid(self, page: Page) -> int | None:
        """The last number that archive and room have in common, by the newest epoch that both know; None if there
        is no such epoch. Either may have gone on without the other."""
        line = (*self.forks, (self.epoch, self.top))
        whole = replace(page, first=1)
        for i in reversed(range(len(line))):
            last = min(seq for _, seq in line[i:])
            verdict = resolve(Position(line[i][0], last), whole, limit=2**62)
            if verdict.recovered:
                return last
            if verdict.reason == "truncated":
                return verdict.valid
            if verdict.reason == "ahead":
                return page.top
        return None


@dataclass(frozen=True, slots=True)
class Copy:
    """What is to be written of one room.

    :ivar expected: where the archive stands before; None if it does not know the room. If it stands elsewhere,
        somebody else has written meanwhile and nothing of this is done.
    :ivar cut: the last number that still holds; what is above was lost in Redis, and its numbers were given again.
    :ivar entries: number, and the entry as Redis has it: `ts epoch place body`.
    """

    room: str
    expected: Position | None
    epoch: str
    forks: Forks
    first: int
    rules: str
    entries: Sequence[tuple[int, bytes]] = ()
    cut: int | None = None


@dataclass(slots=True)
class Numbers:
    """What is counted of the archive, for /metrics and /health.

    :ivar lag_entries: entries in Redis that wait for it; `lag_s` for how long the oldest has. Only the worker that
        copies knows; for all others both are 0.
    :ivar away: why it cannot be used; empty if it can.
    """

    copied: int = 0
    errors: int = 0
    lag_entries: int = 0
    lag_s: float = 0.0
    away: str = field(default="")


class Archive(Protocol):
    """A place for everything that was ever said.

    Promises are answered in the reactor's thread and rejected with `Refused` (`unavailable`) when it cannot be
    asked.

    :ivar id: made with the archive; another archive has another one.
    :ivar numbers: what is counted.
    """

    id: str
    numbers: Numbers

    def stop(self) -> None:
        """Finish what runs and close; blocks."""

    def release(self) -> None:
        """Another worker may write now."""

    def standings(self, rooms: Sequence[str]) -> Promise[dict[str, Standing]]:
        """How rooms stand; those that it does not know are left out."""

    def store(self, copies: Sequence[Copy]) -> Promise[dict[str, Standing]]:
        """Write, all in one transaction (MUST); how the rooms stand that were written. What a `Deleted` erases is
        gone from entries and messages, and a minute later from index and journals (MUST)."""

    def entries(
        self, room: str, after: int, below: int, limit: int, *, back: bool
    ) -> Promise[tuple[int, list[Entry]]]:
        """The newest number that it has of the room, and entries with numbers between the two, oldest first: the
        first ones, or with `back` the last ones. No number is left out (MUST): it is fewer of them if there is a
        hole."""

    def history(
        self, room: str, after: int, below: int, limit: int, *, back: bool
    ) -> Promise[tuple[Standing | None, list[tuple[int, Record]]]]:
        """How the room stands there, and messages between the two numbers, with their numbers, the same way; holes
        do not matter."""

    def search(self, query: str, below: Mapping[str, int], before: int | None, limit: int) -> Promise[list[Hit]]:
        """Messages that hold every word, newest first.

        :param below: the rooms to look in, each with the number below which.
        :param before: only what has a lower place.
        """

    def room_names(self, limit: int) -> Promise[list[tuple[str, int, str]]]:
        """Rooms that are on lists, with their tops and rules, the most recently used first."""

    def forget(self, room: str, before_ts: int) -> Promise[int]:
        """Take out some of what was said before that time, never the newest; the first number that is left. Again
        until it stays the same."""

    def tidy(self) -> Promise[bool]:
        """A step towards making erased words unreadable; True if there is more to do."""
