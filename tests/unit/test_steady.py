"""The reactor's time and the computer's."""

from __future__ import annotations

import time

import pytest
from twisted.internet.base import DelayedCall
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python import runtime

from chatservice.steady import keep_steady


class WallClockReactor:
    """As much of Twisted's reactors as has to do with time."""

    def __init__(self) -> None:
        self.seconds = runtime.seconds
        self.calls: list[DelayedCall] = []

    def callLater(self, delay_s: float) -> DelayedCall:
        call = DelayedCall(
            self.seconds() + delay_s, print, (), {}, self.calls.remove, lambda _: None, self.seconds
        )
        self.calls.append(call)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        return list(self.calls)


def test_what_was_due_already_keeps_its_delay() -> None:
    """Calls from before are due as many seconds later as they were, and can be put off as ever."""
    reactor = WallClockReactor()
    late, soon = reactor.callLater(1000), reactor.callLater(-5)
    keep_steady(reactor)
    now = time.monotonic()
    assert reactor.seconds() == pytest.approx(now, abs=60)
    assert late.getTime() == pytest.approx(now + 1000, abs=60) and soon.getTime() == pytest.approx(now, abs=60)
    late.reset(500)
    assert late.getTime() == pytest.approx(now + 500, abs=60)


@pytest.mark.parametrize("reactor", [Clock(), MemoryReactorClock()])
def test_other_clocks_are_left_alone(reactor: Clock) -> None:
    """A clock that is driven by hand stays in that hand."""
    keep_steady(reactor)
    reactor.advance(3)
    assert reactor.seconds() == 3


def test_twice_is_once() -> None:
    """A second service on the same reactor changes nothing."""
    reactor = WallClockReactor()
    keep_steady(reactor)
    call = reactor.callLater(10)
    due = call.getTime()
    keep_steady(reactor)
    assert call.getTime() == due
