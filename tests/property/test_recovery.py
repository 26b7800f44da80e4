"""Many devices, broken lines, restarts: what each of them has is what the log has. Random histories."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from chat import Chat, Frame
from devices import Device
from framed import FramedChat, FramedDevice
from households import ROOMS, USERS, Household
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from stores import GROUNDS, Store

from chatservice.logs.heads import FORKS_KEPT

WHICH = st.integers(0, len(USERS) - 1)
ROOM = st.sampled_from(ROOMS)
KIND = st.sampled_from(("edit", "delete", "react"))
DOING = st.sampled_from(("say", "edit", "delete", "react"))
SIZE = st.one_of(st.integers(0, 2000), st.just(10**9))
UP = st.one_of(st.integers(1, 600), st.just(10**9))


class Witness(Device):
    """A device that knows how old its positions are, and so whether they must be honoured."""

    def __init__(self, world: World, name: str, user: str) -> None:
        super().__init__(world.chat, name, user)
        self._world = world
        self._openings: dict[str, int] = {}  # room -> how often the store had been opened when it was last there

    def verdict(self, room: str, since: Frame | None, joined: Frame) -> None:
        super().verdict(room, since, joined)
        openings = self._world.openings
        if since is not None:
            if openings - self._openings[room] <= FORKS_KEPT:
                assert joined["recovered"], (since, joined)
            assert joined["recovered"] or joined["reason"] == "epoch"
            assert joined["recovered"] == ("reason" not in joined)
        self._openings[room] = openings


class FramedWitness(Witness, FramedDevice):
    """The same on a line that breaks at any byte."""


class World(Household):
    """Its lines carry whole frames to the server, single bytes back."""

    def device(self, name: str, user: str) -> Witness:
        return Witness(self, name, user)

    def up(self, which: int, size: int) -> None:
        """Something of what a device has sent reaches the server."""
        self.devices[which].up(size % 6)

    def wait(self, seconds: float) -> None:
        """Time passes, or the clock is set back."""
        self.chat.clock.now += seconds
        self.chat.hub.tick()


class FramedWorld(World):
    """Its lines carry bytes both ways, through front door, Autobahn and send queue."""

    chat: FramedChat

    def server(self, store: Store) -> Chat:
        return FramedChat(store)

    def device(self, name: str, user: str) -> Witness:
        return FramedWitness(self, name, user)

    def up(self, which: int, size: int) -> None:
        self.devices[which].up(size)

    def wait(self, seconds: float) -> None:
        self.chat.clock.now += seconds
        self.chat.tick(abs(seconds))  # of an hour everybody is asked, and nobody has answered


class Recovery(RuleBasedStateMachine):
    """See the module."""

    kind = ""
    make: type[World] = World

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory()
        self.world = self.make(self.kind, Path(self._place.name))

    def device(self, which: int) -> Device:
        return self.world.devices[which]

    @initialize()
    def begin(self) -> None:
        """All are there, and something was said."""
        self.world.settle()
        for device in self.world.devices:
            for room in ROOMS:
                device.say(room)
        self.world.settle()

    @rule(which=WHICH, room=ROOM, last=st.integers(0, 5), at_once=st.booleans())
    def come(self, which: int, room: str, last: int, at_once: bool) -> None:
        self.device(which).connect()
        self.device(which).join(room, last)
        if at_once:
            self.world.exchange(self.device(which))

    @rule(which=WHICH, room=ROOM, count=st.integers(1, 4), at_once=st.booleans())
    def say(self, which: int, room: str, count: int, at_once: bool) -> None:
        for _ in range(count):
            self.device(which).say(room)
        if at_once:
            self.world.exchange(self.device(which))

    @rule(which=WHICH, room=ROOM, kind=KIND, pick=st.integers(0, 40), at_once=st.booleans())
    def change(self, which: int, room: str, kind: str, pick: int, at_once: bool) -> None:
        self.device(which).change(kind, room, pick, "👍🎉"[pick % 2])
        if at_once:
            self.world.exchange(self.device(which))

    @rule(away=WHICH, which=WHICH, room=ROOM, doings=st.lists(st.tuples(DOING, st.integers(0, 9)), max_size=6))
    def miss(self, away: int, which: int, room: str, doings: list[tuple[str, int]]) -> None:
        """One is away while another says and changes things, and comes back."""
        self.device(away).cut()
        self.device(which).connect()
        self.world.exchange(self.device(which))
        for kind, pick in doings:
            if kind == "say":
                self.device(which).say(room)
            else:
                self.device(which).change(kind, room, pick, "👍🎉"[pick % 2])
            self.world.exchange(self.device(which))
        self.device(away).connect()

    @rule(which=WHICH, size=UP)
    def up(self, which: int, size: int) -> None:
        self.world.up(which, size)

    @rule(turns=st.integers(1, 9))
    def turns(self, turns: int) -> None:
        """Some of the server's work is done; all of it with 9."""
        for _ in range(turns):
            self.world.chat.store.pump.run_one_if_any()
        if turns == 9:
            self.world.chat.settle()

    @rule(which=WHICH, size=SIZE)
    def down(self, which: int, size: int) -> None:
        self.device(which).down(size)

    @rule(
        which=WHICH,
        room=ROOM,
        count=st.integers(0, 3),
        up=UP,
        turns=st.integers(0, 3),
        size=SIZE,
    )
    def cut(self, which: int, room: str, count: int, up: int, turns: int, size: int) -> None:
        """A line breaks at any byte, in both directions, while messages are on their way."""
        self.say(which, room, count, False)
        self.up(which, up)
        self.turns(9 if turns == 3 else turns)
        self.down(which, size)
        self.device(which).cut()

    @rule(seconds=st.sampled_from((1, 6, -3600)))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        self.world.end(crash=crash)
        self.world.begin()

    @rule()
    def check(self) -> None:
        self.world.settle()
        self.world.check()
        self.world.check_acknowledged()

    def teardown(self) -> None:
        try:
            self.world.settle()
            self.world.check()
            self.world.check_acknowledged()
        finally:
            self.world.chat.stop()
            self._place.cleanup()


def run(kind: str, make: type[World], **how: Any) -> None:
    machine = type("Recovery" + kind, (Recovery,), {"kind": kind, "make": make})
    run_state_machine_as_test(machine, settings=settings(deadline=None, database=None, **how))


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_what_each_device_has_is_what_the_log_has(kind: str) -> None:
    """Never a gap, never a double, no acknowledged message lost, one sender's order kept, every position that is
    good is honoured, and everybody ends with the same messages in their final form."""
    run(kind, World, max_examples=40, stateful_step_count=50)


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_over_real_framing(kind: str) -> None:
    """The same with lines that break at any byte, in the middle of handshakes and frames as well."""
    run(kind, FramedWorld, max_examples=20, stateful_step_count=50)


@pytest.mark.slow
@pytest.mark.parametrize("make", [World, FramedWorld])
@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_the_same_for_longer(kind: str, make: type[World]) -> None:
    """The same with longer and many more histories."""
    run(kind, make, max_examples=1000, stateful_step_count=100)


def test_more_restarts_than_are_remembered(tmp_path: Path) -> None:
    """Whoever slept through sixteen openings of a room goes on where it was; through seventeen, it begins anew."""
    for openings in (FORKS_KEPT, FORKS_KEPT + 1):
        (tmp_path / str(openings)).mkdir()
        world = World("sqlite", tmp_path / str(openings))
        world.settle()
        sleeper, *others = world.devices
        sleeper.say("lobby")
        world.settle()
        before = len(sleeper.places["lobby"].entries)
        for n in range(openings):
            world.end()
            world.begin()
            others[n % 3].connect()
            others[n % 3].say("lobby")
            others[n % 3].up()
            world.chat.settle()
            others[n % 3].down()
            others[n % 3].up()
            world.chat.settle()
        world.settle()
        world.check()
        kept = len(sleeper.places["lobby"].entries)
        assert kept == (before + openings if openings == FORKS_KEPT else 0)
        world.chat.stop()
