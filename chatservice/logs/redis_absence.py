"""When people are told that Redis is away: not of a blink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BLINK_S = 1.0
"""A restart of a small server, a fail-over that is quick, a connection that was cut: nobody need be told."""


class Absence:
    """Whether it has been away for longer than a blink.

    :param tell: is given True when it has, and False when it is there again after that.
    """

    def __init__(
        self, call_later: Callable[[float, Callable[[], None]], Any], tell: Callable[[bool], object]
    ) -> None:
        self._call_later = call_later
        self._tell = tell
        self._timer: Any = None
        self._is_told = False

    def begin(self) -> None:
        """It is gone; also said of each try that fails."""
        if self._timer is None and not self._is_told:
            self._timer = self._call_later(BLINK_S, self._late)

    def _late(self) -> None:
        self._timer = None
        self._is_told = True
        self._tell(True)

    def stop(self) -> None:
        """Nobody is to be told any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """It is there."""
        self.stop()
        if self._is_told:
            self._is_told = False
            self._tell(False)
