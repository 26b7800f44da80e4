"""Looking whether an archive that is away is back, as long as nobody else asks it anything."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from chatservice.domain.promise import Promise

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""Between two looks the wait doubles from the first to the longest, and up to half of it is left out by chance:
all workers lose the archive in the same moment."""


class Probing:
    """Asks again and again.

    :param call_later: seconds and a call.
    :param is_away: whether it is still away.
    :param ask: asks something; whatever the answer is, `is_away` says what came of it.
    :param chance: a number from 0 to 1.
    """

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], Any],
        is_away: Callable[[], bool],
        ask: Callable[[], Promise[Any]],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._call_later = call_later
        self._is_away = is_away
        self._ask = ask
        self._chance = chance
        self._wait_s = FIRST_WAIT_S
        self._is_under_way = self._is_stopped = False

    def begin(self) -> None:
        """It is away; may be said of everything that fails."""
        if not self._is_under_way:
            self._is_under_way = True
            self._wait_s = FIRST_WAIT_S
            self._wait()

    def stop(self) -> None:
        """Ask nothing more. May be called in any thread; a timer is left to run out."""
        self._is_stopped = True

    def _wait(self) -> None:
        self._call_later(self._wait_s * (1 - self._chance() / 2), self._look)
        self._wait_s = min(LONGEST_WAIT_S, 2 * self._wait_s)

    def _look(self) -> None:
        if self._is_away() and not self._is_stopped:
            self._ask().then(self._answered)
        else:
            self._is_under_way = False

    def _answered(self, _: object) -> None:
        if self._is_away() and not self._is_stopped:
            self._wait()
        else:
            self._is_under_way = False
