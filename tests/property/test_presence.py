"""Who is here, as the others are told: people with several devices that come, part, are lost and come back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat import Chat, Frame, Tab
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GROUNDS, Store

from chatservice.domain import entering, hub, presence
from chatservice.domain.hub import LINGER_S

PEOPLE = ("bob", "eve", "dan", "joe")
COUNTED_EVERY_S = 5.0
TOLD_EACH = 3  # instead of 200: above so many members the room is only counted

Step = tuple[str, int, int]


class World:
    """A room with Ann in it, who watches, and what she must be told.

    :ivar devices: of each person, those that are in the room now.
    :ivar lost_at: when the last device of a person was lost, while the place is kept.
    """

    def __init__(self, kind: str, place: Path) -> None:
        self.chat = Chat(Store(kind, place))
        self.ann = self.chat.enter("ann", "lobby")
        self.devices: dict[str, list[Tab]] = {name: [] for name in PEOPLE}
        self.lost_at: dict[str, float] = {}
        self.here = ["ann"]
        self.wanted: list[tuple[str, str, int]] = []
        self.told: list[Frame] = []
        self.counted_at = 0.0
        self.n_told = 1  # the number Ann was told last

    def do(self, step: Step) -> None:
        what, who, which = step
        name = PEOPLE[who]
        devices = self.devices[name]
        if what == "wait":
            for _ in range(which):
                self.chat.wait(1)
                self._give_up()
                self._listen()
        elif what == "come":
            devices.append(self.chat.enter(name, "lobby"))
            self.lost_at.pop(name, None)
            if name not in self.here:
                self.here.append(name)
                self._expect("enter", name)
        elif devices:
            tab = devices.pop(which % len(devices))
            if what == "part":
                tab.ask("part", room="lobby")
                tab.lose()
            else:
                tab.lose()
            if not devices and what == "part":
                self._is_gone(name)
            elif not devices:
                self.lost_at[name] = self.chat.clock.now
        self.check()

    def _give_up(self) -> None:
        for name, lost_at in list(self.lost_at.items()):
            if self.chat.clock.now - lost_at >= LINGER_S:
                del self.lost_at[name]
                self._is_gone(name)

    def _is_gone(self, name: str) -> None:
        self.here.remove(name)
        self._expect("leave", name)

    def _expect(self, what: str, name: str) -> None:
        if len(self.here) <= TOLD_EACH:
            self.wanted.append((what, name, len(self.here)))

    def check(self) -> None:
        """Ann was told exactly that, and the room has exactly those."""
        self._listen()
        told, self.told = self.told, []
        each = [(one["type"], one["user"]["nick"], one["n"]) for one in told if one["type"] != "count"]
        assert each == self.wanted
        self.wanted = []
        for one in told:
            self.n_told = one["n"]
        members = self.ann.ask("members", room="lobby")
        assert sorted(user["nick"] for user in members["members"]) == sorted(self.here)
        assert members["n"] == len(self.here)

    def _listen(self) -> None:
        for one in self.ann.told("enter", "leave", "count"):
            self.told.append(one)
            if one["type"] == "count":
                assert self.chat.clock.now - self.counted_at >= COUNTED_EVERY_S, "counted too often"
                self.counted_at = self.chat.clock.now

    def finish(self) -> None:
        """In the end everybody is lost, and a little later nobody is known any more."""
        self.do(("wait", 0, round(LINGER_S + COUNTED_EVERY_S) + 1))
        assert self.n_told == len(self.here)  # told one by one or counted, the number is right
        for devices in self.devices.values():
            while devices:
                devices.pop().lose()
        self.chat.wait(LINGER_S + 1)
        assert len(self.chat.hub.roster) == 1 and self.ann.ask("members", room="lobby")["n"] == 1
        self.chat.stop()
        assert self.chat.troubles == []


@pytest.fixture(autouse=True, scope="module")
def small_rooms() -> Iterator[None]:
    """Few members are many."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (presence, hub, entering):
            patch.setattr(module, "TELL_EACH", TOLD_EACH)
        yield


STEP = st.tuples(
    st.sampled_from(("come", "come", "come", "lose", "lose", "part", "wait")), st.integers(0, 3), st.integers(0, 9)
)


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=40)
@given(st.lists(STEP, min_size=5, max_size=40))
def test_a_person_comes_and_leaves_once(kind: str, steps: list[Step]) -> None:
    """However many devices come, part and are lost in whatever order: the others are told one enter and one leave,
    five seconds after the last was lost; in a big room only the number, and not often."""
    with tempfile.TemporaryDirectory() as place:
        world = World(kind, Path(place))
        try:
            for step in steps:
                world.do(step)
            world.finish()
        finally:
            world.chat.stop()


def test_a_busy_big_room(tmp_path: Path) -> None:
    """However often somebody comes and parts in a big room, the number is told every five seconds at most."""
    world = World("memory", tmp_path)
    for step in [("come", 0, 0), ("come", 1, 0), ("come", 2, 0)]:
        world.do(step)
    counted = set()
    for _ in range(8):
        for step in [("come", 3, 0), ("wait", 0, 1), ("part", 3, 0), ("wait", 0, 1)]:
            world.do(step)
            counted.add(world.counted_at)
    assert len(counted) in (4, 5)
    world.finish()
