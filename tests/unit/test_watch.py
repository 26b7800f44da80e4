"""Deadlines for many connections by one ticking call."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from fakes import ScriptedLog, Troubles, make_hub
from twisted.internet.task import Clock

from chatservice.transports.surroundings import FAREWELL_S, HANDSHAKE_S, PING_S, PONG_S, Surroundings
from chatservice.transports.watch import TICK_S, Deadline, Limit, Watch


class Connection:
    """Notes when it was nudged and when it was given up."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.heard_at = -1.0
        self.nudged_at: list[float] = []
        self.ended_at: float | None = None

    def nudge(self) -> None:
        self.nudged_at.append(self.clock.seconds())

    def give_up(self) -> None:
        self.ended_at = self.clock.seconds()

    def speak(self) -> None:
        self.heard_at = self.clock.seconds()


class Room:
    """A watch with the times of WebSocket pings, and its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.watch = Watch(self.clock.seconds, PING_S, PONG_S)

    def connect(self) -> Connection:
        connection = Connection(self.clock)
        self.watch.add(connection)
        return connection

    def run(self, seconds: float, step: float = TICK_S) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.watch.tick()


def test_the_silent_are_asked_and_then_ended() -> None:
    """Nothing for 25 s: a nudge. Nothing for 10 s more: the end, once, and it is watched no more."""
    room = Room()
    silent = room.connect()
    assert silent.heard_at == 0.0
    room.run(24)
    assert silent.nudged_at == []
    room.run(1)
    assert silent.nudged_at == [25.0] and silent.ended_at is None
    room.run(9)
    assert silent.ended_at is None
    room.run(1)
    assert silent.ended_at == 35.0 and len(room.watch) == 0
    room.run(60)
    assert silent.nudged_at == [25.0]


def test_life_after_the_nudge() -> None:
    """An answer to the nudge begins a new silence of 25 s."""
    room = Room()
    peer = room.connect()
    room.run(26)
    peer.speak()
    room.run(24)
    assert peer.nudged_at == [25.0] and peer.ended_at is None
    room.run(2)
    assert peer.nudged_at == [25.0, 51.0]
    room.run(10)
    assert peer.ended_at == 61.0


def test_whoever_talks_is_left_alone() -> None:
    """A connection that shows life every 20 s is never asked."""
    room = Room()
    peer = room.connect()
    for _ in range(20):
        room.run(20)
        peer.speak()
    assert peer.nudged_at == []


def test_each_is_judged_by_its_own_silence() -> None:
    """One that spoke early is not covered by others who came later: it still ends 35 s after its last word."""
    room = Room()
    early = room.connect()
    room.run(1)
    early.speak()
    room.run(23)
    room.connect()  # due long after `early`
    room.run(40)
    assert early.nudged_at == [26.0] and early.ended_at == 36.0


def test_removed_while_quiet_and_while_nudged() -> None:
    """A connection that is gone is neither asked nor ended; to remove it twice or unasked is no error."""
    room = Room()
    quiet, nudged = room.connect(), room.connect()
    room.run(5)
    room.watch.remove(quiet)
    room.run(25)
    assert len(room.watch) == 1 and len(nudged.nudged_at) == 1
    room.watch.remove(nudged)
    room.watch.remove(nudged)
    room.watch.remove(Connection(room.clock))
    room.run(60)
    assert (quiet.nudged_at, quiet.ended_at, nudged.ended_at) == ([], None, None)


def test_removed_by_another_ones_end() -> None:
    """An end that takes others along within the same tick leaves no one to be nudged after it is gone."""
    room = Room()
    second: list[Connection] = []

    class Leader(Connection):
        def nudge(self) -> None:
            room.watch.remove(second[0])

    room.watch.add(Leader(room.clock))
    second.append(room.connect())
    room.run(40)
    assert (second[0].nudged_at, second[0].ended_at) == ([], None)


def test_added_again() -> None:
    """Whoever is added again is watched once, and its silence begins anew."""
    room = Room()
    peer = room.connect()
    room.run(20)
    room.watch.add(peer)
    assert len(room.watch) == 1
    room.run(24)
    assert peer.nudged_at == []
    room.run(1)
    assert peer.nudged_at == [45.0]


def test_after_a_sleep_everybody_is_asked_first() -> None:
    """When the whole process slept for an hour, all get their time to answer before they are ended."""
    room = Room()
    peers = [room.connect() for _ in range(3)]
    room.clock.advance(3600)
    room.watch.tick()
    assert [len(peer.nudged_at) for peer in peers] == [1, 1, 1]
    room.run(5)
    peers[0].speak()
    room.run(5)
    assert peers[0].ended_at is None
    assert all(peer.ended_at is not None for peer in peers[1:])


def test_one_that_breaks_does_not_harm_the_rest() -> None:
    """An error in one connection's nudge comes out of the tick; the next tick goes on with the others."""
    room = Room()

    class Broken(Connection):
        def nudge(self) -> None:
            raise ZeroDivisionError

    room.watch.add(Broken(room.clock))
    other = room.connect()
    room.clock.advance(25)
    with pytest.raises(ZeroDivisionError):
        room.watch.tick()
    room.watch.tick()
    assert other.nudged_at == [25.0]


def seconds_go_by(around: Surroundings, clock: Clock, seconds: int) -> None:
    """As the service ticks."""
    for _ in range(seconds):
        clock.advance(1)
        around.tick()


def test_who_answered_while_the_process_slept_is_not_given_up() -> None:
    """After a minute of SIGSTOP what came in meanwhile is read before anybody is judged; then who is dead is."""
    clock, troubles = Clock(), Troubles()
    hub = make_hub(ScriptedLog(), troubles=troubles)
    around = Surroundings.of(hub, call_later=clock.callLater, now=clock.seconds, report=troubles.append)
    well, dead = Connection(clock), Connection(clock)
    for connection in (well, dead):
        around.pings.add(connection)
    seconds_go_by(around, clock, 26)
    assert len(well.nudged_at) == len(dead.nudged_at) == 1
    clock.advance(60)
    around.tick()
    assert well.ended_at is None and dead.ended_at is None
    around.pings.heard(well)  # its answer had been waiting in the socket
    seconds_go_by(around, clock, 1)
    assert dead.ended_at is not None and well.ended_at is None


def test_a_broken_watch_does_not_stop_the_others() -> None:
    """The one call that ticks all watches reports an error and goes on; a LoopingCall would stop for good."""
    clock, troubles = Clock(), Troubles()
    hub = make_hub(ScriptedLog(), troubles=troubles)
    around = Surroundings.of(hub, call_later=clock.callLater, now=clock.seconds, report=troubles.append)
    ends: list[str] = []
    around.handshakes.add(Deadline(lambda: ends.append("handshake")))
    broken = Connection(clock)
    broken.nudge = lambda: 1 / 0
    around.pings.add(broken)
    around.farewells.add(Deadline(lambda: ends.append("farewell")))
    seconds_go_by(around, clock, 30)
    assert [type(trouble) for trouble in troubles] == [ZeroDivisionError]
    assert ends == ["farewell", "handshake"]


@pytest.mark.parametrize("delay", [HANDSHAKE_S, FAREWELL_S])
def test_deadlines(delay: float) -> None:
    """An absolute deadline ends once, when its time is up, however often the watch looks."""
    clock = Clock()
    watch = Watch(clock.seconds, delay, 0.0)
    ends: list[float] = []
    end: Callable[[], None] = lambda: ends.append(clock.seconds())  # noqa: E731
    kept, dropped = Deadline(end), Deadline(end)
    watch.add(kept)
    watch.add(dropped)
    clock.advance(delay - 0.5)
    watch.remove(dropped)
    watch.tick()
    assert ends == []
    for _ in range(5):
        clock.advance(0.5)
        watch.tick()
    assert ends == [delay] and len(watch) == 0


def test_thousands_at_any_times() -> None:
    """Whenever they come, talk and go: nobody is nudged before 25 s of silence, nobody lives beyond 36 s of it."""
    room = Room()
    chance = random.Random(42)
    living: list[Connection] = []
    spoke: dict[Connection, float] = {}
    for tenth in range(3000):
        room.clock.advance(0.1)
        if chance.random() < 0.3:
            living.append(room.connect())
            spoke[living[-1]] = room.clock.seconds()
        for peer in chance.sample(living, min(2, len(living))):
            peer.speak()
            spoke[peer] = room.clock.seconds()
        if living and chance.random() < 0.1:
            room.watch.remove(living.pop(chance.randrange(len(living))))
        if tenth % 10 == 0:
            room.watch.tick()
        for peer in living:
            silence = room.clock.seconds() - spoke[peer]
            assert not peer.nudged_at or peer.nudged_at[-1] - spoke[peer] >= 25 or spoke[peer] > peer.nudged_at[-1]
            assert peer.ended_at is None or peer.ended_at - spoke[peer] >= 35
            assert peer.ended_at is not None or silence < 36.05
        living = [peer for peer in living if peer.ended_at is None]
    assert len(room.watch) == len(living) > 50


def test_a_limit() -> None:
    """Its time counts from its last beginning; what ended in time is not told, and it can begin again."""
    clock, ends = Clock(), []
    watch = Watch(clock.seconds, 30.0, 0.0)
    limit = Limit(watch, lambda: ends.append(clock.seconds()))

    def wait(seconds: int) -> None:
        for _ in range(seconds):
            clock.advance(1)
            watch.tick()

    limit.begin()
    wait(20)
    limit.begin()
    wait(29)
    assert ends == [] and len(watch) == 1
    wait(1)
    assert ends == [50.0] and len(watch) == 0 and not limit.is_running
    limit.begin()
    wait(10)
    limit.stop()
    wait(40)
    assert ends == [50.0] and len(watch) == 0
    limit.begin()
    limit.forget()
    wait(40)
    assert ends == [50.0] and len(watch) == 0


def test_a_limit_takes_one_place() -> None:
    """However often it begins and stops, it stands in the queue once."""
    watch = Watch(Clock().seconds, 30.0, 0.0)
    limit = Limit(watch, lambda: None)
    for _ in range(1000):
        limit.begin()
        limit.stop()
    assert len(watch) == 1 and len(watch._heap) == 1
