"""How a room stands: its top, its epoch and the forks behind it. The fork fence lives here."""

from __future__ import annotations

from dataclasses import dataclass

FORKS_KEPT = 16
"""Openings of the log a client may sleep through and still resume."""


@dataclass(slots=True)
class Head:
    """The mutable head of one room while a log has it open.

    :ivar ts: when the newest entry was written, in milliseconds; numbers and times rise together.
    """

    epoch: str
    top: int
    ts: int
    forks: tuple[tuple[str, int], ...]

    def next_ts(self, now_ms: int) -> int:
        """A time for the next entry: a clock that was set back does not make time run backwards."""
        self.ts = max(self.ts, now_ms)
        return self.ts


def fork(head: Head, epoch: str) -> Head:
    """The head under another server identity: same numbers, new epoch, and where the old one ended.

    Without this a crash that loses the tail would give the lost numbers to other messages, and a client
    that had seen the lost ones would never know.
    """
    forks = (*head.forks, (head.epoch, head.top))[-FORKS_KEPT:]
    return Head(epoch, head.top, head.ts, forks)
