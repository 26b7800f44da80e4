"""Is a client's position in a room still good? (docs/wire/recovery.md)

A log that was opened anew numbers on under a new epoch and remembers the last number that survived the
old one. So a position from before a crash, a fail-over or a restored backup either resolves, or we can
say exactly which numbers the client must drop.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatservice.domain.commands import Position
from chatservice.domain.ports import Page

RECOVER_LIMIT = 500
"""Entries one resume may carry; above that the last page serves better. Centrifugo allows 300."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What becomes of a position.

    :ivar reason: empty when everything after the position can be shown; else why not: `epoch` (we never
        had that epoch), `ahead`, `truncated` (numbers above `valid` did not survive), `gone` (pruned),
        `too_many`.
    :ivar valid: the number up to which the client's own view is right; 0 when it must start over.
    """

    reason: str
    valid: int

    @property
    def recovered(self) -> bool:
        """Whether the client misses nothing and keeps everything."""
        return not self.reason


def resolve(position: Position, page: Page, limit: int = RECOVER_LIMIT) -> Resolution:
    """Judge `position` by a page's `top`, `epoch`, `forks` and `first`; its entries do not matter."""
    survived = _survived(position, page)
    if survived is None:
        return Resolution("epoch", 0)
    if position.seq > survived:
        if position.epoch == page.epoch:
            return Resolution("ahead", 0)
        reason, valid = "truncated", survived
    else:
        reason, valid = "", position.seq
    if page.first > valid + 1:
        return Resolution("gone", 0)
    if page.top - valid > limit:
        return Resolution("too_many", 0)
    return Resolution(reason, valid)


def _survived(position: Position, page: Page) -> int | None:
    """The highest number of the position's epoch that is still true, None if we never had that epoch."""
    if not position.seq:
        return 0  # nothing was seen, so nothing is wrong: the epoch of a room that is empty is not kept
    if position.epoch == page.epoch:
        return page.top
    for i, (epoch, _) in enumerate(page.forks):
        if epoch == position.epoch:
            # A later fork may have cut deeper than the one that ended this epoch.
            return min(last for _, last in page.forks[i:])
    return None
