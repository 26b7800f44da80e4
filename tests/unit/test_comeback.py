"""When those whom a restart sends away may come back."""

from __future__ import annotations

import time

import pytest
from pytest import approx

from chatservice.transports import comeback
from chatservice.transports.comeback import ENOUGH, LEAST, MOST, UNMEASURED, Comeback, age_s


class Node:
    """One that is as fast as the test says."""

    def __init__(self) -> None:
        self.spent_s = 0.0
        self.comeback = Comeback(spent=lambda: self.spent_s, randbelow=lambda n: n - 1)
        self.comeback.start_s = 1.0

    def second(self, people: int, spent_s: float) -> float:
        """In one second so many came, and it worked for so long; the rate after that."""
        for _ in range(people):
            self.comeback.arrived()
        self.spent_s += spent_s
        self.comeback.tick()
        return self.comeback.rate


def test_nothing_is_known_before_many_came() -> None:
    """Before anybody came in numbers, and from seconds in which few did, nothing is concluded."""
    node = Node()
    assert node.comeback.rate == UNMEASURED
    assert node.second(ENOUGH - 1, 0.9) == UNMEASURED


def test_the_rate_is_what_half_a_processor_can_do() -> None:
    """A hundred people that cost 100 ms of work are 1 ms each: in half of each second 500 can be taken in."""
    assert Node().second(100, 0.1) == approx(500)


def test_later_seconds_weigh_less() -> None:
    """One odd second does not turn everything over, many of them do."""
    node = Node()
    node.second(100, 0.1)
    assert 250 < node.second(100, 0.2) < 500
    for _ in range(20):
        node.second(100, 0.2)
    assert node.comeback.rate == approx(250, rel=0.01)


def test_the_rate_has_bounds() -> None:
    """However fast or slow a second looked, a restart neither floods the node nor keeps people away for ever."""
    assert Node().second(100, 0.0001) == MOST
    assert Node().second(100, 100.0) == LEAST


def test_everybody_has_a_slot() -> None:
    """The moments begin when the next process is there, rise one by one, and never come faster than the rate."""
    node = Node()
    node.second(100, 0.1)  # 500 a second: 2 ms each
    moments = [node.comeback.next_ms() for _ in range(1000)]
    assert moments == sorted(moments) and moments[0] >= 1000 * node.comeback.first_s >= 1000
    for begin in range(500):
        assert moments[begin + 500] - moments[begin] >= 1000


def test_the_age_of_this_process() -> None:
    """It is known to the kernel, and rises."""
    before = age_s()
    deadline = time.monotonic() + 5
    while age_s() <= before and time.monotonic() < deadline:
        pass
    assert 0 < before < age_s() < 86_400


def test_an_age_that_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel does not tell, a second is assumed."""

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(comeback, "open", refuse, raising=False)
    assert age_s() == 1.0
