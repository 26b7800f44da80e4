"""The parent of several workers, on a clock that is driven by hand and processes that are numbers."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from chatservice.workers.backoff import FIRST_S, GOOD_S, LONGEST_S, Backoff
from chatservice.workers.crew import EMPTIED_S, LEAVE_S, SILENT_S, START_S, Crew
from chatservice.workers.hearing import read_told
from chatservice.workers.plan import Handed, Plan, Wanted


class Hands:
    """Processes are numbers from 100 on; what is asked for is noted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_full = False
        self.can_leave_out = False
        self.left_out: list[int] = []
        self.spawned: list[tuple[int, int]] = []
        self.killed: list[tuple[int, int]] = []
        self.events: list[str] = []
        self.told: list[object] = []
        self.killed_before: list[tuple[int, int]] = []
        self.crew = Crew(
            self,
            lambda: self.now,
            ready=lambda: self.told.append("ready"),
            renewed=self._renewed,
            done=lambda status: self.told.append(("done", status)),
        )

    def _renewed(self, all_are: bool) -> None:
        self.told.append(all_are)
        self.killed_before = list(self.killed)

    def spawn(self, slot: int, generation: int) -> int | None:
        if self.is_full:
            return None
        pid = 100 + len(self.spawned)
        self.spawned.append((slot, pid))
        return pid

    def kill(self, pid: int, number: int) -> None:
        self.killed.append((pid, number))

    def leave_out(self, n: int) -> bool:
        self.left_out.append(n)
        return self.can_leave_out

    def note(self, level: str, event: str, words: str, **fields: Any) -> None:
        assert words.format(**fields)
        self.events.append(event)

    def ready(self, *pids: int) -> None:
        """These say that they are."""
        for pid in pids:
            self.crew.heard(pid, {"READY": "1"})

    def wait(self, seconds: float) -> None:
        """So much time passes, a second at a time."""
        for _ in range(int(seconds)):
            self.now += 1
            self.crew.tick()


@pytest.fixture
def hands() -> Hands:
    """Two workers, 100 and 101, that are ready."""
    hands = Hands()
    hands.crew.begin(2)
    hands.ready(100, 101)
    assert hands.told == ["ready"]
    return hands


def test_ready_when_all_are() -> None:
    """The whole is ready when the last one is, and says so once."""
    hands = Hands()
    hands.crew.begin(3)
    assert [slot for slot, _ in hands.spawned] == [1, 2, 3]
    hands.ready(100, 102)
    assert (hands.told, hands.crew.n_ready) == ([], 2)
    hands.ready(101, 101)
    assert (hands.told, hands.crew.n_ready) == (["ready"], 3)


def test_one_that_cannot_start() -> None:
    """If one ends before all have been ready for the first time, the others are sent away and its status is
    ours."""
    hands = Hands()
    hands.crew.begin(2)
    hands.ready(100)
    hands.crew.exited(101, 1)
    assert hands.killed == [(100, signal.SIGTERM)] and hands.told == []
    hands.crew.exited(100, 0)
    assert hands.told == [("done", 1)]


def test_one_that_dies(hands: Hands) -> None:
    """A worker that dies is started again in its slot after a short while, the longer the oftener it has."""
    hands.crew.exited(100, -signal.SIGKILL)
    assert len(hands.spawned) == 2 and hands.crew.next_at() == FIRST_S
    hands.wait(1)
    assert hands.spawned[2] == (1, 102)
    hands.crew.exited(102, 1)
    assert hands.crew.next_at() == hands.now + 2 * FIRST_S
    hands.wait(1)
    hands.ready(103)
    assert hands.crew.n_ready == 2 and hands.events == ["worker_died", "worker_died"] and hands.told == ["ready"]


def test_backoff() -> None:
    """Up to a bound; who has served for long enough begins anew."""
    backoff = Backoff()
    waits = [backoff.died(0.0) for _ in range(10)]
    assert waits == sorted(waits) and waits[0] == FIRST_S and waits[-1] == LONGEST_S
    assert backoff.died(GOOD_S) == FIRST_S


def test_one_by_one(hands: Hands) -> None:
    """At a renewal the next worker must be ready before the old one is told to go, and that one be gone before the
    next slot's turn comes."""
    hands.crew.renew(2)
    assert hands.spawned[2:] == [(1, 102)] and hands.killed == []
    hands.ready(102)
    assert hands.killed == [(100, signal.SIGTERM)] and len(hands.spawned) == 3
    assert hands.crew.is_renewing and hands.crew.n_ready == 2
    hands.crew.exited(100, 0)
    assert hands.spawned[3:] == [(2, 103)]
    hands.ready(103)
    hands.crew.exited(101, 0)
    assert hands.told == ["ready", True] and not hands.crew.is_renewing
    assert len(hands.spawned) == 4


def test_a_successor_that_dies(hands: Hands) -> None:
    """If the next worker ends before it is ready, nothing is replaced any more, and the old ones serve on."""
    hands.crew.renew(2)
    hands.crew.exited(102, 1)
    assert hands.told == ["ready", False] and hands.killed == [] and hands.crew.n_ready == 2
    hands.wait(3)
    assert len(hands.spawned) == 3 and hands.events == ["workers_not_replaced"]


def test_the_old_one_dies_meanwhile(hands: Hands) -> None:
    """If the old worker dies while the next one starts, that one has the slot, and the renewal goes on."""
    hands.crew.renew(2)
    hands.crew.exited(100, -signal.SIGKILL)
    hands.ready(102)
    assert hands.spawned[3:] == [(2, 103)]
    hands.ready(103)
    hands.crew.exited(101, 0)
    assert hands.told == ["ready", True]


def test_a_slot_without_a_worker_is_renewed(hands: Hands) -> None:
    """A slot that waits to be started again is started at once, with what is new, and only once."""
    hands.crew.exited(100, 1)
    hands.crew.renew(2)
    assert hands.spawned[2:] == [(1, 102)] and hands.crew.next_at() is None
    hands.wait(10)
    assert len(hands.spawned) == 3
    hands.ready(102)
    hands.ready(103)
    hands.crew.exited(101, 0)
    assert hands.told == ["ready", True]


@pytest.mark.parametrize("n", [1, 4])
def test_more_or_fewer(hands: Hands, n: int) -> None:
    """After a renewal there are as many as was said."""
    hands.crew.renew(n)
    for _ in range(2 * n + 4):
        hands.ready(*(pid for _, pid in hands.spawned))
        for pid, number in list(hands.killed):
            if number == signal.SIGTERM:
                hands.crew.exited(pid, 0)
    assert hands.told == ["ready", True] and hands.crew.n_ready == len(hands.crew.slots) == n


def test_those_who_are_too_many_go_last(hands: Hands) -> None:
    """With fewer workers, the surplus ones serve until all others are replaced and it is said that they are: only
    then their sockets may be closed."""
    hands.crew.renew(1)
    hands.ready(102)
    assert hands.killed == [(100, signal.SIGTERM)] and hands.crew.n_ready == 2
    hands.crew.exited(100, 0)
    assert hands.told == ["ready", True] and (101, signal.SIGTERM) not in hands.killed_before
    assert hands.killed[-1] == (101, signal.SIGTERM) and list(hands.crew.slots) == [1]


def test_those_who_are_too_many_are_emptied_first(hands: Hands) -> None:
    """Where they can be left out, those who are too many go on for a moment, and only then their sockets are
    closed and they are told to go; until then it is not over."""
    hands.can_leave_out = True
    hands.crew.renew(1)
    hands.ready(102)
    hands.crew.exited(100, 0)
    assert hands.left_out == [1] and hands.told == ["ready"] and hands.killed == [(100, signal.SIGTERM)]
    assert hands.crew.is_renewing and hands.crew.are_leaving and list(hands.crew.slots) == [1]
    hands.wait(EMPTIED_S)
    assert hands.told == ["ready", True] and (101, signal.SIGTERM) not in hands.killed_before
    assert hands.killed[-1] == (101, signal.SIGTERM) and not hands.crew.is_renewing
    hands.crew.exited(101, 0)
    assert not hands.crew.are_leaving and hands.crew.n_ready == 1


def test_who_is_emptied_may_die_or_come_late(hands: Hands) -> None:
    """Of those who are too many one may die meanwhile, which starts nobody, and another be ready only now, which
    changes nothing; and the end may come, which tells each once."""
    hands.can_leave_out = True
    hands.crew.renew(4)
    hands.crew.exited(104, 1)  # it failed: the two that were added are too many
    assert hands.left_out == [2] and hands.told == ["ready"]
    hands.crew.exited(102, -signal.SIGKILL)
    hands.ready(103)
    assert len(hands.spawned) == 5 and hands.crew.n_ready == 2
    hands.crew.end()
    assert hands.told == ["ready", False] and not hands.crew.is_renewing
    hands.wait(EMPTIED_S)
    assert sorted(hands.killed) == [(pid, signal.SIGTERM) for pid in (100, 101, 103)]
    for pid in (100, 101, 103):
        hands.crew.exited(pid, 0)
    assert hands.told[-1] == ("done", 0)


def test_nobody_is_left_out_where_none_is_too_many(hands: Hands) -> None:
    """A renewal with as many workers as before does not touch how connections are spread."""
    hands.can_leave_out = True
    hands.crew.renew(2)
    hands.ready(102)
    hands.crew.exited(100, 0)
    hands.ready(103)
    hands.crew.exited(101, 0)
    assert hands.told == ["ready", True] and hands.left_out == []


def test_fewer_fail(hands: Hands) -> None:
    """If a renewal with fewer workers fails, nobody is sent away."""
    hands.crew.renew(1)
    hands.crew.exited(102, 1)
    assert hands.told == ["ready", False] and hands.killed == [] and hands.crew.n_ready == 2


def test_more_fail(hands: Hands) -> None:
    """If a renewal with more workers fails, those that were added go again."""
    hands.crew.renew(4)
    assert hands.spawned[2:] == [(3, 102), (4, 103), (1, 104)]
    hands.crew.exited(104, 1)
    assert hands.told == ["ready", False] and sorted(hands.crew.slots) == [1, 2]
    assert hands.killed == [(102, signal.SIGTERM), (103, signal.SIGTERM)] and hands.killed_before == []


def test_a_worker_gone_late_does_not_hurry_the_next_renewal(hands: Hands) -> None:
    """Who was too many and leaves slowly has nothing to do with a later renewal that has its slot again."""
    hands.crew.renew(1)
    hands.ready(102)
    hands.crew.exited(100, 0)
    hands.crew.renew(2)
    hands.ready(103, 104)
    hands.crew.exited(102, 0)
    assert hands.told == ["ready", True, True]
    hands.crew.renew(2)
    hands.ready(105)
    hands.crew.exited(104, 0)
    assert hands.spawned[-1] == (2, 106)
    hands.crew.exited(101, 0)
    assert hands.crew.is_renewing and hands.told == ["ready", True, True]


def test_no_room_for_another_process(hands: Hands) -> None:
    """A worker that cannot be started is tried again later, the longer the oftener, and nobody is sent a signal
    for it; a renewal that meets this fails."""
    hands.crew.exited(100, 1)
    hands.is_full = True
    hands.wait(1)
    assert hands.crew.next_at() == hands.now + 2 * FIRST_S
    hands.crew.end_at_once()
    assert {pid for pid, _ in hands.killed} == {101}


def test_no_room_for_a_successor(hands: Hands) -> None:
    """If the next worker cannot be started, the old ones serve on."""
    hands.is_full = True
    hands.crew.renew(2)
    assert hands.told == ["ready", False] and hands.killed == [] and hands.crew.n_ready == 2
    assert not hands.crew.is_renewing


def test_no_room_at_the_start() -> None:
    """If not even the first ones can be started, that is told to whoever has started us."""
    hands = Hands()
    hands.is_full = True
    hands.crew.begin(2)
    assert hands.told == [("done", 1)] and hands.killed == []


def test_no_renewal_after_the_end(hands: Hands) -> None:
    """Settings that are worked out when the end has begun start nobody."""
    hands.crew.end()
    hands.crew.renew(3)
    assert len(hands.spawned) == 2 and hands.told == ["ready"]


def test_one_that_is_never_ready(hands: Hands) -> None:
    """A worker that takes too long to start is killed, which counts as its death."""
    hands.crew.exited(100, 1)
    hands.wait(1)
    hands.wait(START_S + 1)
    assert (102, signal.SIGKILL) in hands.killed and "worker_hangs" in hands.events


def test_one_that_hangs(hands: Hands) -> None:
    """One that gives no sign of life is killed; the others, who do, are not."""
    for _ in range(int(SILENT_S) + 2):
        hands.crew.heard(100, {"WATCHDOG": "1"})
        hands.wait(1)
    assert {pid for pid, _ in hands.killed} == {101} and hands.crew.is_alive


def test_the_end(hands: Hands) -> None:
    """All are told to go; who stays too long is killed; when the last one has gone it is over, once, with status
    0."""
    hands.crew.end()
    assert sorted(hands.killed) == [(100, signal.SIGTERM), (101, signal.SIGTERM)]
    hands.crew.exited(100, 0)
    hands.wait(LEAVE_S + 1)
    assert (101, signal.SIGKILL) in hands.killed
    hands.crew.exited(101, -signal.SIGKILL)
    hands.crew.exited(101, -signal.SIGKILL)
    assert hands.told == ["ready", ("done", 0)]


def test_the_end_at_once(hands: Hands) -> None:
    """A second signal kills, also who was about to be replaced and who was to come."""
    hands.crew.renew(2)
    hands.crew.end()
    hands.crew.end_at_once()
    assert {pid for pid, number in hands.killed if number == signal.SIGKILL} == {100, 101, 102}
    for pid in (100, 101, 102):
        hands.crew.exited(pid, -signal.SIGKILL)
    assert hands.told == ["ready", ("done", 0)] and len(hands.spawned) == 3


def test_what_is_heard(hands: Hands) -> None:
    """Connections are summed up over all workers; what strangers say is nothing."""
    hands.crew.heard(100, read_told(b"STATUS=1,200 connections"))
    hands.crew.heard(101, read_told(b"STATUS=34 connections\nX=\xff\n"))
    hands.crew.heard(999, read_told(b"STATUS=5 connections\nREADY=1"))
    hands.crew.heard(101, read_told(b"STATUS=all is well"))
    assert hands.crew.connections == 1234


def test_a_plan_is_json() -> None:
    """What the process that becomes the parent leaves itself is the same afterwards."""
    plan = Plan(
        3,
        (Wanted("listen.0", "", 80), Wanted("control", path="/x", mode=0o600)),
        "/data",
        ("--lang=de",),
        (("web", 3),),
    )
    handed = Handed(plan, ((1, 0, 7), (2, 0, 8)), (5,))
    assert Handed.load(handed.dump()) == handed
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
