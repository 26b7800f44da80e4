"""Looking whether an archive is back: again and again, less and less often, until anybody has seen it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.logs.archive_probing import FIRST_WAIT_S, LONGEST_WAIT_S, Probing


class Stage:
    """An archive, and a clock that is turned by hand."""

    def __init__(self, chance: float = 0.0) -> None:
        self.is_away = True
        self.waits: list[float] = []
        self.asked: list[Promise[int]] = []
        self._due: list[Callable[[], None]] = []
        self.probing = Probing(self._call_later, lambda: self.is_away, self._ask, lambda: chance)

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.waits.append(seconds)
        self._due.append(call)

    def _ask(self) -> Promise[int]:
        self.asked.append(Promise())
        return self.asked[-1]

    def ring(self) -> None:
        """The time is over; there is one timer at most."""
        (call,) = self._due
        self._due = []
        call()

    def fail(self) -> None:
        """It answers that it cannot."""
        self.probing.begin()  # as everything does that fails
        self.asked[-1].reject(Refused(Code.UNAVAILABLE))


def test_less_and_less_often() -> None:
    """It is asked once after a second, then the wait doubles up to half a minute, until it is back."""
    stage = Stage()
    stage.probing.begin()
    stage.probing.begin()
    for number in range(1, 9):
        stage.ring()
        assert len(stage.asked) == number
        stage.fail()
    assert stage.waits == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    stage.ring()
    stage.is_away = False
    stage.asked[-1].resolve(1)
    assert len(stage.waits) == 9 and stage._due == []


def test_the_next_outage_begins_anew() -> None:
    """After it was back, the first look comes soon again."""
    stage = Stage()
    stage.probing.begin()
    stage.ring()
    stage.fail()
    stage.is_away = False
    stage.ring()  # somebody else has seen it
    assert len(stage.asked) == 1 and stage._due == []
    stage.is_away = True
    stage.probing.begin()
    assert stage.waits == [1, 2, 1]


def test_a_late_answer_says_nothing() -> None:
    """A look that was refused without any failure being told, as of a statement that took too long, is not the
    last."""
    stage = Stage()
    stage.probing.begin()
    stage.ring()
    stage.asked[-1].reject(Refused(Code.UNAVAILABLE))
    assert stage.waits == [1, 2]


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_not_all_at_once(chance: float) -> None:
    """Workers that lost it together do not look together, and none waits less than half as long."""
    stage = Stage(chance)
    stage.probing.begin()
    assert stage.waits == [FIRST_WAIT_S * (1 - chance / 2)] and stage.waits[0] >= FIRST_WAIT_S / 2
    assert LONGEST_WAIT_S > FIRST_WAIT_S


def test_the_end() -> None:
    """Nothing is asked any more once it is closed."""
    stage = Stage()
    stage.probing.begin()
    stage.probing.stop()
    stage.ring()
    assert stage.asked == [] and stage._due == []
