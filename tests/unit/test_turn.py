"""A turn waits for others only where many talk, and never for long."""

from __future__ import annotations

from fakes import Pump
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from chatservice.transports.turn import LONG_S, SHARE, Turn


class Crowd:
    """An audience that takes a while to tell. It counts what it was told in each round."""

    def __init__(self, clock: Clock, takes_s: float) -> None:
        self.rounds: list[int] = []
        self.takes_s = takes_s
        self._clock = clock
        self._waiting = 0

    def tell(self, turn: Turn, n: int = 1) -> None:
        for _ in range(n):
            self._waiting += 1
            turn.add(self)

    def flush(self) -> None:
        if self._waiting:
            self.rounds.append(self._waiting)
            self._waiting = 0
            self._clock.rightNow += self.takes_s


class Hall:
    """A turn with a clock and a reactor moved by hand."""

    def __init__(self, takes_s: float = 0.008) -> None:
        self.clock, self.pump = Clock(), Pump()
        self.turn = Turn(self.pump, call_later=self.clock.callLater, now=self.clock.seconds)
        self.crowd = Crowd(self.clock, takes_s)

    def say(self, n: int = 1) -> None:
        self.crowd.tell(self.turn, n)
        self.pump.run()

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.pump.run()


def test_who_talks_alone_is_not_waited_for() -> None:
    """One message at a time goes out at the end of its turn, however long the last round took."""
    hall = Hall()
    for n in range(1, 4):
        hall.say()
        assert hall.crowd.rounds == [1] * n


def test_two_halves_become_one_round() -> None:
    """Where sixteen messages are under way, the one that comes first waits for the other fifteen."""
    hall = Hall()
    hall.say(15)
    hall.say(1)
    assert hall.crowd.rounds == [15]
    hall.say(14)
    assert hall.crowd.rounds == [15, 15]
    hall.say(1)
    hall.wait(0)
    assert hall.crowd.rounds == [15, 15]
    hall.say(15)
    assert hall.crowd.rounds == [15, 15, 16]


def test_it_does_not_wait_longer_than_it_is_worth() -> None:
    """If the others do not come, what is there goes out after a quarter of what the last round took."""
    hall = Hall(0.004)
    hall.say(4)
    hall.say(1)
    hall.wait(0.0009)
    assert hall.crowd.rounds == [4]
    hall.wait(0.0002)
    assert hall.crowd.rounds == [4, 1]
    hall.say(1)
    assert hall.crowd.rounds == [4, 1, 1]


def test_short_rounds_are_not_worth_it() -> None:
    """A small room never waits."""
    hall = Hall(LONG_S)
    hall.say(4)
    hall.say(1)
    assert hall.crowd.rounds == [4, 1]


def test_answers_alone_change_nothing() -> None:
    """A round of answers only, with nothing for a room, is neither waited for nor remembered."""
    hall = Hall()
    hall.say(4)
    answers = Crowd(hall.clock, 0.0)
    answers._waiting = 1
    hall.turn.add_last(answers)
    hall.pump.run()
    assert answers.rounds == [1]
    hall.say(1)
    assert hall.crowd.rounds == [4]


@given(st.lists(st.one_of(st.integers(1, 20), st.floats(0.0, 0.002))))
def test_nothing_is_kept_back(steps: list[int | float]) -> None:
    """Whoever talks when, everything goes out, and nothing later than its share of the last round."""
    hall = Hall(0.016)
    said, waited_since = 0, 0.0
    for step in steps:
        if isinstance(step, int):
            if said == sum(hall.crowd.rounds):
                waited_since = hall.clock.seconds()
            hall.say(step)
            said += step
        else:
            hall.wait(step)
        if hall.clock.seconds() - waited_since > hall.crowd.takes_s / SHARE + 0.0001:
            assert sum(hall.crowd.rounds) == said
    hall.wait(1)
    assert sum(hall.crowd.rounds) == said and 0 not in hall.crowd.rounds
