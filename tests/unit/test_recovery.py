"""Is a position still good? By a table, and against a plain model of what a client and a log remember."""

from __future__ import annotations

import pytest
from fakes import page
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.domain.commands import Position
from chatservice.domain.ports import Page
from chatservice.domain.recovery import RECOVER_LIMIT, Resolution, resolve
from chatservice.logs.heads import FORKS_KEPT, Head, fork

# Twice opened anew: e1 reached 10 and all survived, e2 reached 25 of which 20 survived; e3 is at 30.
TWICE = page(top=30, epoch="e3", forks=(("e1", 10), ("e2", 20)))
# The second loss cut deeper than the first: e1 reached 10, then a backup from 6 was restored under e2.
LOST = {"epoch": "e3", "forks": (("e2", 20),)}
DEEPER = page(top=9, epoch="e3", forks=(("e1", 10), ("e2", 6)))


@pytest.mark.parametrize(
    ("position", "at", "reason", "valid"),
    [
        pytest.param(("e1", 3), page(top=5), "", 3, id="the current epoch"),
        pytest.param(("e1", 5), page(top=5), "", 5, id="nothing missed"),
        pytest.param(("e1", 0), page(top=5), "", 0, id="from the very beginning"),
        pytest.param(("e1", 0), page(top=0), "", 0, id="an empty room"),
        pytest.param(("e1", 6), page(top=5), "ahead", 0, id="a number that does not exist yet"),
        pytest.param(("e9", 1), page(top=5), "epoch", 0, id="an epoch we never had"),
        pytest.param(("", 1), page(top=5), "epoch", 0, id="no epoch"),
        pytest.param(("e2", 18), TWICE, "", 18, id="one fork back, survived"),
        pytest.param(("e2", 20), TWICE, "", 20, id="one fork back, the last that survived"),
        pytest.param(("e2", 21), TWICE, "truncated", 20, id="one fork back, lost"),
        pytest.param(("e1", 10), TWICE, "", 10, id="two forks back, survived"),
        pytest.param(("e1", 12), TWICE, "truncated", 10, id="two forks back, lost"),
        pytest.param(("e1", 6), DEEPER, "", 6, id="a later fork cut deeper, survived both"),
        pytest.param(("e1", 8), DEEPER, "truncated", 6, id="a later fork cut deeper"),
        pytest.param(("e1", 3), page(top=5, first=4), "", 3, id="the next one is the first that is kept"),
        pytest.param(("e1", 2), page(top=5, first=4), "gone", 0, id="pruned"),
        pytest.param(("e1", 5), page(top=5, first=6), "", 5, id="all pruned, nothing missed"),
        pytest.param(("e2", 25), page(top=30, first=22, **LOST), "gone", 0, id="lost, pruned"),
        pytest.param(("e1", 0), page(top=RECOVER_LIMIT), "", 0, id="exactly the limit"),
        pytest.param(("e1", 0), page(top=RECOVER_LIMIT + 1), "too_many", 0, id="one too many"),
        pytest.param(("e2", 25), page(top=600, **LOST), "too_many", 0, id="lost, too many"),
    ],
)
def test_table(position: tuple[str, int], at: Page, reason: str, valid: int) -> None:
    """Each reason a client may be told, and each way in which its position holds."""
    verdict = resolve(Position(*position), at)
    assert verdict == Resolution(reason, valid)
    assert verdict.recovered == (not reason)


def test_the_limit_is_an_argument() -> None:
    """A caller may bound a resume more tightly than the wire does."""
    assert resolve(Position("e1", 0), page(top=5), limit=5).recovered
    assert resolve(Position("e1", 0), page(top=6), limit=5).reason == "too_many"


class World:
    """A log that is written, loses its tail and is opened anew; it knows every line of every epoch."""

    def __init__(self) -> None:
        self.head = Head("e0", 0, 0, ())
        self.lines: list[str] = []  # what the log holds now, unique words
        self.seen: dict[str, list[str]] = {"e0": []}  # the longest list that a client of that epoch saw
        self.words = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            self.words += 1
            self.lines.append(f"w{self.words}")
        self.head.top = len(self.lines)
        self.seen[self.head.epoch] = list(self.lines)

    def reopen(self, lose: int) -> None:
        del self.lines[max(0, len(self.lines) - lose) :]
        self.head.top = len(self.lines)
        self.head = fork(self.head, f"e{len(self.seen)}")
        self.seen[self.head.epoch] = list(self.lines)


STEPS = st.lists(
    st.one_of(
        st.integers(1, 6).map(lambda n: ("write", n)),
        st.integers(0, 8).map(lambda n: ("reopen", n)),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 30), st.integers(0, 60))
def test_against_a_model(steps: list[tuple[str, int]], epoch: int, seq: int) -> None:
    """Whatever was lost and however often: what a client is told to keep is what the log still holds."""
    world = World()
    for verb, n in steps:
        getattr(world, verb)(n)
    head = world.head
    verdict = resolve(Position(f"e{epoch}", seq), Page(head.top, head.epoch, head.forks, 1, ()))
    known = [e for e, _ in head.forks] + [head.epoch]
    assert len(known) <= FORKS_KEPT + 1
    if seq == 0:  # who has seen nothing can keep everything of that
        assert verdict.reason in ("", "too_many")
        return
    if f"e{epoch}" not in known:
        assert verdict.reason == "epoch"
        return
    view = world.seen[f"e{epoch}"][:seq]
    if len(view) < seq:  # no client of that epoch can have seen that number
        assert verdict.reason in ("ahead", "truncated", "")
        return
    same = 0
    while same < min(len(view), len(world.lines)) and view[same] == world.lines[same]:
        same += 1
    if same == len(view):
        assert verdict == Resolution("", seq)
    else:
        assert verdict == Resolution("truncated", same)
