"""How a room stands: its top, its epoch and the forks behind it. The fork fence lives here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chatservice.domain.rules import Rules

FORKS_KEPT = 16
"""Openings of the log a client may sleep through and still resume."""


@dataclass(slots=True)
class Head:
    """The mutable head of one room while a log has it open.

    :ivar ts: when the newest entry was written, in milliseconds; numbers and times rise together.
    :ivar first: the oldest number still kept.
    """

    epoch: str
    top: int
    ts: int
    forks: tuple[tuple[str, int], ...]
    first: int = 1
    rules: Rules = field(default_factory=Rules)

    def copy(self) -> Head:
        """As it is now, for another thread."""
        return replace(self)


def fork(head: Head, epoch: str) -> Head:
    """The head under another server identity: same numbers, new epoch, and where the old one ended.

    Without this a crash that loses the tail would give the lost numbers to other messages, and a client
    that had seen the lost ones would never know.
    """
    return replace(head, epoch=epoch, forks=(*head.forks, (head.epoch, head.top))[-FORKS_KEPT:])
