"""A crash, a power cut, a restored backup, a copied file: the end of the log is lost. Who has seen it is told
exactly what to drop, who has not goes on without noticing, and no number ever stands for two messages."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from chat import Frame
from devices import Device
from households import ROOMS, Household
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GROUNDS

from chatservice.domain.events import Entry

Identity = tuple[Any, ...]
Step = tuple[Any, ...]


def identity(entry: Entry) -> Identity:
    """What an entry is, whatever number it has; the clock moves on at every restore."""
    return type(entry.body).__name__, entry.body.user.id, entry.body.cid, entry.ts


class Careful(Device):
    """A device whose world judges what it is told about its positions."""

    def __init__(self, world: World, name: str, user: str) -> None:
        super().__init__(world.chat, name, user)
        self._world = world

    def verdict(self, room: str, since: Frame | None, joined: Frame) -> None:
        super().verdict(room, since, joined)
        if since is not None:
            self._world.judge(room, since, joined)


class World(Household):
    """A household whose store may be put back to a copy of it.

    :ivar branches: what the log of a room held when an epoch was last seen.
    :ivar stands: what each number of an epoch stood for.
    """

    def __init__(self, kind: str, place: Path, *, fence: bool) -> None:
        self.branches: dict[tuple[str, str], list[Identity]] = {}
        self.stands: dict[tuple[str, str, int], Identity] = {}
        self.copies: list[object] = []
        super().__init__(kind, place, fence=fence)

    def device(self, name: str, user: str) -> Careful:
        return Careful(self, name, user)

    def witness(self) -> None:
        """Note what the log says now."""
        for room in ROOMS:
            page = self.read(room)
            self.branches[room, page.epoch] = [identity(one) for one in page.entries]
            for one in page.entries:
                stood = self.stands.setdefault((room, one.epoch, one.seq), identity(one))
                assert stood == identity(one), f"{one.epoch}:{one.seq} stands for two"

    def judge(self, room: str, since: Frame, joined: Frame) -> None:
        """Whether the answer to a position is what the histories say."""
        if since["seq"] == 0:
            assert joined["recovered"]
            return
        page = self.read(room)
        if since["epoch"] not in {page.epoch, *(epoch for epoch, _ in page.forks)}:
            assert joined["reason"] == "epoch"
            return
        seen = self.branches[room, since["epoch"]][: since["seq"]]
        assert len(seen) == since["seq"], "an epoch stands for two histories"
        now = [identity(one) for one in page.entries]
        good = 0
        while good < min(len(seen), len(now)) and seen[good] == now[good]:
            good += 1
        if good == len(seen):
            assert joined["recovered"], (since, joined)
        else:
            assert (joined["reason"], joined["valid"]) == ("truncated", good), (since, joined)

    def do(self, step: Step) -> None:
        """One step of a history."""
        match step:
            case ("say", which, room, count):
                device = self.devices[which]
                device.connect()
                self.exchange(device)
                for _ in range(count):
                    device.say(room)
                self.exchange(device)
            case ("change", which, room, kind, pick):
                self.devices[which].change(kind, room, pick, "👍")
                self.exchange(self.devices[which])
            case ("meet",):
                self.settle()
                self.check()
            case ("leave", which):
                self.devices[which].cut()
            case ("copy", is_open):
                self.witness()
                if is_open:
                    self.copies.append(self.chat.store.ground.copy())
                else:
                    self.end()
                    self.copies.append(self.chat.store.ground.copy())
                    self.begin()
            case ("restore", pick):
                self.witness()
                self.end(crash=True)
                if self.copies:
                    self.chat.store.ground.restore(self.copies[pick % len(self.copies)])
                self.chat.clock.now += 1
                self.begin()
            case ("power", part):
                self.chat.settle()
                self.witness()
                torn = self.chat.store.ground.torn(part / 100)
                self.end(crash=True)
                self.chat.store.ground.restore(torn)
                self.chat.clock.now += 1
                self.begin()
        self.witness()


def play(kind: str, history: list[Step], *, fence: bool = True) -> None:
    """Let a history happen, then bring everybody together."""
    with tempfile.TemporaryDirectory() as place:
        world = World(kind, Path(place), fence=fence)
        try:
            for step in [("meet",), *history, ("meet",)]:
                world.do(step)
        finally:
            world.end()


WHICH, ROOM = st.integers(0, 3), st.sampled_from(ROOMS)
STEPS = st.one_of(
    st.tuples(st.just("say"), WHICH, ROOM, st.integers(1, 3)),
    st.tuples(st.just("say"), WHICH, st.just("lobby"), st.integers(1, 3)),
    st.tuples(st.just("change"), WHICH, ROOM, st.sampled_from(("edit", "delete", "react")), st.integers(0, 9)),
    st.just(("meet",)),
    st.tuples(st.just("leave"), WHICH),
    st.tuples(st.just("copy"), st.booleans()),
    st.tuples(st.just("restore"), st.integers(0, 3)),
    st.tuples(st.just("power"), st.integers(0, 100)),
)
LOST: list[Step] = [
    ("say", 0, "lobby", 2),
    ("copy", True),
    ("meet",),
    ("leave", 3),
    ("say", 0, "lobby", 2),
    ("change", 0, "lobby", "edit", 3),
    ("change", 2, "lobby", "react", 1),
    ("leave", 2),
    ("restore", 0),
]
"""Two messages were copied; device 3 has seen those, device 2 more, an edit and a reaction; all is lost."""


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=50)
@given(history=st.lists(STEPS, min_size=4, max_size=25))
def test_whatever_is_lost(kind: str, history: list[Step]) -> None:
    """After any history of talk, copies, crashes and restores everybody has what the log has, and was told why."""
    play(kind, history)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=2000)
@given(history=st.lists(STEPS, max_size=60))
def test_whatever_is_lost_for_longer(kind: str, history: list[Step]) -> None:
    """The same with longer and many more histories."""
    play(kind, history)


def told(kind: str, place: Path) -> dict[int, Frame]:
    """What each device is told about its position after the loss in `LOST` and two other messages."""
    world = World(kind, place, fence=True)
    answers: dict[int, Frame] = {}
    for step in [("meet",), *LOST, ("say", 1, "lobby", 2)]:
        world.do(step)
    for n, device in enumerate(world.devices):

        def note(room: str, since: Frame | None, joined: Frame, n: int = n) -> None:
            if room == "lobby":
                answers[n] = joined

        device.verdict = note  # type: ignore[method-assign]
    world.settle()
    world.check()
    world.end()
    return answers


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_above_and_below_the_cut(kind: str, tmp_path: Path) -> None:
    """At the surviving number one goes on without noticing; above it one is told what to drop and what stands
    there now."""
    answers = told(kind, tmp_path)
    below, above = answers[3], answers[2]
    assert below["recovered"] is True and "reason" not in below
    assert (above["recovered"], above["reason"], above["valid"]) == (False, "truncated", 2)
    for answer in (below, above):
        assert [event["seq"] for event in answer["events"]] == [3, 4] and answer["state"] == []
        assert {event["from"]["id"] for event in answer["events"]} == {"u_ann"}


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_without_the_fence(kind: str) -> None:
    """The mutation: with the fork fence switched off the same history is caught by the same check."""
    again: list[Step] = [*LOST, ("say", 1, "lobby", 3)]
    play(kind, again)
    with pytest.raises(AssertionError, match="stands for two"):
        play(kind, again, fence=False)


POWER: list[Step] = [
    ("say", 0, "lobby", 2),
    ("copy", False),
    ("meet",),
    ("say", 0, "lobby", 2),
    ("meet",),
    ("leave", 2),
]
"""Two messages are in the file, an edit and two more only in its write-ahead log."""


@pytest.mark.parametrize("part", range(0, 100, 10))
def test_a_power_cut(part: int) -> None:
    """Whatever part of the write-ahead log had come to the disk: told exactly. Without the fence, caught."""
    again: list[Step] = [*POWER, ("power", part), ("say", 1, "lobby", 3)]
    play("sqlite", again)
    with pytest.raises(AssertionError, match="stands for two"):
        play("sqlite", again, fence=False)


@pytest.mark.parametrize("kind", sorted(GROUNDS))
def test_without_the_fence_at_the_devices(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the numbers: without the fence a device keeps ghosts of what was lost, and the check sees them."""
    monkeypatch.setattr(World, "witness", lambda self: None)
    monkeypatch.setattr(World, "judge", lambda self, room, since, joined: None)
    again: list[Step] = [*LOST, ("say", 1, "lobby", 3)]
    play(kind, again)
    with pytest.raises(AssertionError, match="another stands there now"):
        play(kind, again, fence=False)
