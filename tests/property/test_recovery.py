"""Many devices, broken lines, restarts: what each of them has is what the log has. Random histories."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from chat import Chat, Frame
from devices import Device
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from stores import GROUNDS, Store

from chatservice.dialects.full_voice import entry, message
from chatservice.domain.ports import Page
from chatservice.logs.heads import FORKS_KEPT

ROOMS = ("lobby", "attic")
USERS = ("ann", "ann", "bob", "eve")  # Ann has two devices

WHICH = st.integers(0, len(USERS) - 1)
ROOM = st.sampled_from(ROOMS)
KIND = st.sampled_from(("edit", "delete", "react"))
SIZE = st.one_of(st.integers(0, 2000), st.just(10**9))


class Witness(Device):
    """A device that knows when each of its positions was taken."""

    def __init__(self, world: World, name: str, user: str) -> None:
        super().__init__(world.chat, name, user)
        self._world = world

    def connect(self) -> None:
        if not self.is_connected:
            self.asked_at = {room: self._world.openings_of.get((self.name, room), 0) for room in self.places}
        super().connect()

    def verdict(self, room: str, since: Frame | None, joined: Frame) -> None:
        super().verdict(room, since, joined)
        openings = self._world.openings
        if since is not None:
            if openings - self.asked_at[room] <= FORKS_KEPT:
                assert joined["recovered"], (since, joined)
            else:
                assert joined["recovered"] or joined["reason"] == "epoch"
            assert joined["recovered"] == ("reason" not in joined)
        self._world.openings_of[self.name, room] = openings


class World:
    """A chat on one store and the devices that use it."""

    def __init__(self, kind: str, place: Path) -> None:
        self.openings = 0
        self.openings_of: dict[tuple[str, str], int] = {}
        self.chat = Chat(Store(kind, place))
        self.devices = [Witness(self, f"d{n}", user) for n, user in enumerate(USERS)]

    def restart(self, *, crash: bool) -> None:
        """All lines break. In a crash of the memory engine what was not committed is lost."""
        for device in self.devices:
            device.cut()
        if crash:
            self.chat.store.crash()
        else:
            self.chat.store.stop()
        self.chat.start()
        self.openings += 1

    def settle(self) -> None:
        """Everybody comes back, sends and reads all."""
        for device in self.devices:
            device.connect()
            for room in ROOMS:
                device.join(room, 3)
        moved = True
        while moved:
            for device in self.devices:
                device.up()
            self.chat.settle()
            moved = any(device.down() for device in self.devices)

    def exchange(self, device: Device) -> None:
        """One device sends and reads all."""
        device.up()
        self.chat.settle()
        device.down()

    def read(self, room: str) -> Page:
        page: Page = self.chat.store.pump.until(self.chat.store.engine.read(room, 0, 10**6))
        return page

    def history(self, room: str, viewer: str) -> list[Frame]:
        past = self.chat.store.pump.until(self.chat.store.engine.history(room, viewer, 10**6))
        return [message(one) for one in past.messages]

    def check(self) -> None:
        """The log is whole, and everybody who has read all has what it says."""
        assert self.chat.troubles == []
        for room in ROOMS:
            log = self.read(room).entries
            assert [one.seq for one in log] == list(range(1, len(log) + 1))
            said = [(one.body.user.id, one.body.cid) for one in log if one.body.cid is not None]
            assert len(said) == len(set(said)), "stored twice"
            numbers = {one.body.cid: one.seq for one in log if one.body.cid is not None}
            shown = {one.seq: entry(one) for one in log}
            for device in self.devices:
                mine = [int(cid.split("-")[1]) for cid in numbers if cid.startswith(device.name + "-")]
                assert mine == sorted(mine), "one sender's order"
                for (where, cid), seq in device.acknowledged.items():
                    assert where != room or numbers[cid] == seq, "acknowledged and lost"
                self._compare(device, room, shown)

    def _compare(self, device: Device, room: str, shown: dict[int, Frame]) -> None:
        place = device.places.get(room)
        if place is None:
            return
        for had in place.entries:
            now = shown[had["seq"]]
            gone = {"text", "deleted", "mentions", "cid"} if now.get("deleted") else {"cid"}
            assert {k: v for k, v in had.items() if k not in gone} == {
                k: v for k, v in now.items() if k not in gone
            }
        if place.seq == len(shown):
            wanted = {one["seq"]: one for one in self.history(room, device.me) if one["seq"] >= place.first}
            assert place.view == wanted


class Recovery(RuleBasedStateMachine):
    """See the module."""

    kind = ""

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory()
        self.world = World(self.kind, Path(self._place.name))

    def device(self, which: int) -> Witness:
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

    @rule(which=WHICH, frames=st.integers(1, 5))
    def up(self, which: int, frames: int) -> None:
        self.device(which).up(frames)

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
        frames=st.integers(0, 4),
        turns=st.integers(0, 3),
        size=SIZE,
    )
    def cut(self, which: int, room: str, count: int, frames: int, turns: int, size: int) -> None:
        """A line breaks at any byte, in both directions, while messages are on their way."""
        self.say(which, room, count, False)
        self.up(which, frames)
        self.turns(9 if turns == 3 else turns)
        self.down(which, size)
        self.device(which).cut()

    @rule(seconds=st.sampled_from((1, 6, -3600)))
    def wait(self, seconds: int) -> None:
        """Time passes, or the clock is set back."""
        self.world.chat.clock.now += seconds
        self.world.chat.hub.tick()

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        self.world.restart(crash=crash)

    @rule()
    def check(self) -> None:
        self.world.settle()
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.settle()
            self.world.check()
        finally:
            self.world.chat.stop()
            self._place.cleanup()


def run(kind: str, **how: Any) -> None:
    machine = type("Recovery" + kind, (Recovery,), {"kind": kind})
    run_state_machine_as_test(machine, settings=settings(deadline=None, database=None, **how))


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_what_each_device_has_is_what_the_log_has(kind: str) -> None:
    """Never a gap, never a double, no acknowledged message lost, one sender's order kept, every position that is
    good is honoured, and everybody ends with the same messages in their final form."""
    run(kind, max_examples=60, stateful_step_count=50)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_the_same_for_longer(kind: str) -> None:
    """The same with longer and many more histories."""
    run(kind, max_examples=1000, stateful_step_count=100)


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
            world.restart(crash=False)
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
