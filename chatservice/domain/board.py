"""The seam by which all nodes of a chat see how each of them stands: every node pins a sheet to one board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from chatservice.domain.promise import Promise


class Pinned(NamedTuple):
    """What one node has pinned.

    :ivar node: its own word.
    :ivar is_ours: it is this very node.
    :ivar lives: False if it has died, that is, went without taking its sheet along.
    :ivar age_s: seconds since it was written, by a clock that all share.
    :ivar sheet: what stands there. Another version may have written it.
    """

    node: str
    is_ours: bool
    lives: bool
    age_s: float
    sheet: bytes


class Board(Protocol):
    """Sheets last a while: that of a node that died is there for some minutes more, with how it stood last."""

    def keep(self, sheet: Callable[[], bytes]) -> None:
        """Pin what `sheet` answers, now and every few seconds, in the place of what we had there; it MUST NOT
        raise. Who ends in good order takes it away."""

    def read(self) -> Promise[Sequence[Pinned]]:
        """All that is there, the newest first. Rejected with `Refused` where it cannot be read now."""
