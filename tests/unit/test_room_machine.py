"""A room over a log that delays, drops, reorders, doubles and forks: nothing is missed, nothing told twice.

R1 to R14 are the races of the design: R1, R4, R5, R7 need a bus of its own; the others happen in one process too.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import ANN, BOB, FakePeer, ScriptedLog, Troubles, entry, page

from chatservice.domain import room as room_module
from chatservice.domain.commands import Position
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Deleted, Entry, Moderated
from chatservice.domain.limits import RING
from chatservice.domain.promise import start
from chatservice.domain.room import Gone, Room, State


class Stage:
    """A room, the log behind it, and Ann in it once it is live."""

    def __init__(self, *seqs: int, epoch: str = "e1") -> None:
        self.log, self.troubles, self.ann = ScriptedLog(), Troubles(), FakePeer()
        self.room = Room("lobby", self.log, self.troubles.append)
        self.log.sink = self.room
        if seqs:
            self.room.live()
            self.log.show(page(seqs, epoch=epoch))
            self.room.here.attach(ANN, self.ann)

    def tell(self, *seqs: int, epoch: str = "e1") -> None:
        """The log tells these entries, in this order."""
        self.log.tell(*(entry(seq, epoch=epoch) for seq in seqs))

    def heard(self) -> list[str]:
        """What Ann was told, of what was said only the number."""
        return [word.partition(" Ann")[0] for word in self.ann.told()]

    @property
    def asked(self) -> list[tuple[str, int | None]]:
        """The reads that have no answer yet."""
        return [(ask.kind, ask.seq) for ask in self.log.asks]


def test_one_read_for_all_who_wait() -> None:
    """A cold room is read once, however many come at the same time."""
    stage = Stage()
    waiting = [stage.room.live() for _ in range(3)]
    assert stage.asked == [("read_back", None)] and not any(promise.done for promise in waiting)
    stage.log.show(page([1, 2, 3]))
    assert all(promise.done for promise in waiting)
    assert (stage.room.state, stage.room.top, stage.room.epoch) == (State.LIVE, 3, "e1")
    assert stage.room.live().done and stage.asked == []


@pytest.mark.parametrize("told", [(3, 4, 5), (5, 4, 3), (4, 4, 5, 3, 5), (2, 3, 4, 5)])
def test_r2_r6_an_entry_in_the_read_and_on_the_way(told: tuple[int, ...]) -> None:
    """R2, R6: what comes while a newcomer waits for the read is shown once and in order, however it came."""
    stage = Stage()
    shown = start(stage.room.after(0))
    stage.tell(*told)
    assert not shown.done
    stage.log.show(page([1, 2, 3]))
    if stage.asked:  # it came out of order
        assert stage.asked == [("read", 3)]
        stage.log.show(page([4, 5]))
    assert [item.seq for item in shown.result()] == [1, 2, 3, 4, 5]
    assert stage.room.state is State.LIVE and stage.asked == []


def test_r3_a_gap_on_the_way() -> None:
    """R3: past a hole nothing is told until the log has shown what is missing."""
    stage = Stage(1, 2, 3)
    stage.tell(4, 6, 7)
    assert stage.heard() == ["4"] and stage.room.state is State.SYNC and stage.asked == [("read", 4)]
    stage.tell(8)
    stage.log.show(page([5, 6]))  # read before 7 was committed
    assert stage.heard() == ["5", "6", "7", "8"] and stage.room.state is State.LIVE


def test_r3_reordered() -> None:
    """R3: two entries that changed places are told in their order, each once."""
    stage = Stage(1, 2, 3)
    stage.tell(5, 4)
    stage.log.show(page([4, 5]))
    assert stage.heard() == ["4", "5"]
    stage.tell(4, 5, 6)
    assert stage.heard() == ["6"] and stage.asked == []


def test_r3_a_second_hole_while_the_first_is_read() -> None:
    """R3: whoever waits for the room waits until the last hole is closed."""
    stage = Stage(1, 2, 3)
    stage.tell(5)
    waiting = stage.room.live()
    stage.tell(8)
    stage.log.show(page([4, 5]))
    assert stage.heard() == ["4", "5"] and stage.asked == [("read", 5)]
    assert not waiting.done and stage.room.state is State.SYNC
    stage.log.show(page([6, 7, 8]))
    assert waiting.done and stage.heard() == ["6", "7", "8"]


def test_r13_twice() -> None:
    """R13: an entry that comes again is told once."""
    stage = Stage(1, 2, 3)
    stage.tell(3, 4, 4, 2, 5, 4)
    assert stage.heard() == ["4", "5"] and stage.asked == []


def test_a_read_that_fails_is_tried_again() -> None:
    """After a failed read nobody is told anything past the hole; the next to come reads again."""
    stage = Stage(1, 2, 3)
    stage.tell(5)
    waiting = stage.room.live()
    stage.log.fail(Refused(Code.UNAVAILABLE))
    assert isinstance(waiting.error, Refused) and stage.troubles == [] and stage.heard() == []
    joining = start(stage.room.after(3))
    assert stage.asked == [("read", 3)] and not joining.done
    stage.log.show(page([4, 5]))
    assert [item.seq for item in joining.result()] == [4, 5] and stage.heard() == ["4", "5"]


def test_a_first_read_that_fails() -> None:
    """A room that could not be read is as cold as before; the next to come gets all of it."""
    stage = Stage()
    waiting = stage.room.live()
    stage.tell(3)
    stage.log.fail(OSError("disk"))
    assert isinstance(waiting.error, OSError) and stage.room.state is State.COLD
    again = start(stage.room.after(0))
    stage.log.show(page([1, 2, 3]))
    assert [item.seq for item in again.result()] == [1, 2, 3]


def test_too_many_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """More entries than may wait for a read are not kept, and not lost either: the log is read again."""
    monkeypatch.setattr(room_module, "EARLY_LIMIT", 3)
    stage = Stage(1, 2, 3)
    stage.tell(5, 6, 7, 8, 9)
    stage.log.show(page([4]))
    assert stage.heard()[0] == "4" and stage.asked != []
    stage.log.show(page(range(stage.room.top + 1, 10)))
    assert stage.room.top == 9 and stage.room.state is State.LIVE and stage.asked == []


def test_stale() -> None:
    """While the bus is away nothing is told; then what came meanwhile is read page by page."""
    stage = Stage(1, 2, 3)
    stage.room.read_again()
    stage.room.read_again()
    stage.tell(2 * RING + 4)
    assert stage.asked == [("read", 3)] and stage.heard() == []
    top = 2 * RING + 3
    stage.log.show(page(range(4, RING + 4), top=top))
    assert stage.asked == [("read", RING + 3)]
    stage.log.show(page(range(RING + 4, top + 1), top=top))
    assert stage.heard() == [str(seq) for seq in range(4, 2 * RING + 5)]


# --- forks ---


def test_a_new_epoch_with_nothing_lost() -> None:
    """The room numbers on under a new epoch: members hear of the epoch before its first entry."""
    stage = Stage(1, 2, 3)
    stage.tell(4, epoch="e2")
    assert stage.heard() == []
    stage.log.show(page([4], epoch="e2", forks=(("e1", 3),)))
    assert stage.heard() == ["epoch e2", "4"]
    stage.tell(5, epoch="e2")
    assert stage.heard() == ["5"] and stage.room.epoch == "e2"


def test_a_lost_tail_while_members_are_here() -> None:
    """Numbers above the fork did not survive: members drop them, then hear what stands there now."""
    stage = Stage(1, 2, 3, 4, 5)
    stage.tell(4, epoch="e2")
    heads = {"epoch": "e2", "forks": (("e1", 3),), "top": 4}
    stage.log.show(page([], **heads))
    assert stage.heard() == ["cut after 3: e2 3"] and stage.asked == [("read", 3)]
    stage.log.show(page([4], **heads))
    assert stage.heard() == ["4"] and stage.room.top == 4
    newcomer = start(stage.room.after(0))
    assert [(item.seq, item.epoch) for item in newcomer.result()] == [
        (1, "e1"),
        (2, "e1"),
        (3, "e1"),
        (4, "e2"),
    ]


def test_everything_lost() -> None:
    """A log that never had our epoch: members drop all they have, and the room begins with what it has now."""
    stage = Stage(1, 2, 3)
    stage.tell(1, epoch="e9")
    stage.log.show(page([], epoch="e9", top=1))
    assert stage.asked == [("read_back", None)]
    stage.log.show(page([1], epoch="e9"))
    assert stage.heard() == ["cut after None: e9 1"] and (stage.room.top, stage.room.epoch) == (1, "e9")
    stage.tell(2, epoch="e9")
    assert stage.heard() == ["2"]


def test_late_news_of_a_lost_branch() -> None:
    """Entries of the branch that did not survive come late: nobody is told of them, and the room goes on."""
    stage = Stage(1, 2, 3)
    stage.tell(4, epoch="e2")
    heads = {"epoch": "e2", "forks": (("e1", 3),)}
    stage.log.show(page([4], **heads))
    assert stage.heard() == ["epoch e2", "4"]
    for late in (4, 5, 6):  # 4 and 5 under the old epoch, though 4 stands for something else now
        stage.tell(late, epoch="e1")
        while stage.asked:
            assert stage.asked == [("read", 4)]
            stage.log.show(page([], top=4, **heads))
        assert stage.heard() == [] and stage.room.state is State.LIVE
    stage.tell(5, epoch="e2")
    assert stage.heard() == ["5"] and stage.asked == []


def test_r8_a_fork_while_a_newcomer_reads() -> None:
    """R8: two branches are never mixed; whoever was reading begins again."""
    first = RING * 2
    stage = Stage(*range(first, first + RING))
    reading = start(stage.room.after(first - 10))
    assert stage.asked == [("read", first - 10)]
    top = first + RING - 1
    heads = {"epoch": "e2", "forks": (("e1", first - 5),), "top": first - 4}
    stage.tell(first - 4, epoch="e2")
    stage.log.show(page(range(first - 9, top + 1)))  # of before the fork
    stage.log.show(page([], **heads))
    stage.log.show(page([first - 4], **heads))
    assert isinstance(reading.error, Gone)
    assert stage.heard() == [f"cut after {first - 5}: e2 {first - 5}", str(first - 4)]
    assert stage.room.judge(Position("e1", top)).reason == "truncated"


# --- pruning and size ---


def test_r9_pruned_while_paging() -> None:
    """R9: what was pruned between two pages is gone, and that is said."""
    stage = Stage(*range(1000, 1000 + RING))
    reading = start(stage.room.after(300))
    stage.log.show(page(range(301, 301 + RING), top=1255))
    assert stage.asked == [("read", 556)]
    stage.log.show(page(range(700, 956), top=1255, first=700))
    assert isinstance(reading.error, Gone)


def test_r9_pruned_while_stale() -> None:
    """R9: what members missed while the bus was away is not kept any more: they are told to begin anew."""
    stage = Stage(1, 2, 3)
    stage.room.read_again()
    stage.log.show(page([], top=20, first=10))
    answers = 0
    while stage.asked:
        answers += 1
        assert answers < 5, "it reads for ever"
        stage.log.show(page(range(10, 21), first=10))
    assert stage.heard() == ["cut after None: e1 20"]
    assert stage.room.state is State.LIVE and stage.room.top == 20
    stage.tell(21)
    assert stage.heard() == ["21"]
    assert [item.seq for item in start(stage.room.after(9)).result()] == list(range(10, 22))
    assert stage.room.judge(Position("e1", 8)).reason == "gone"


def test_r10_a_huge_gap() -> None:
    """R10: a position more than 500 behind is told so, without reading anything."""
    stage = Stage(*range(1000, 1000 + RING))
    assert stage.room.judge(Position("e1", 1255 - 500)).reason == ""
    assert stage.room.judge(Position("e1", 1255 - 501)).reason == "too_many"
    assert stage.asked == []


def test_the_ring_forgets_what_is_erased() -> None:
    """A newcomer is not shown the words of a message that was deleted while the room was live."""
    stage = Stage(1, 2, 3)
    stage.log.tell(Entry("lobby", 4, "e1", 0, Deleted(BOB, 2)))
    shown = start(stage.room.after(0)).result()
    assert [getattr(item.body, "text", None) for item in shown] == ["1", "", "3", None]
    assert shown[1].body.erased  # type: ignore[union-attr]


def test_the_ring_forgets_what_has_expired() -> None:
    """When the log says what it has pruned, no newcomer is shown that from the ring, nor told that it is there."""
    stage = Stage(1, 2, 3, 4, 5)
    stage.room.pruned(3)
    assert stage.room.judge(Position("e1", 1)).reason == "gone" and stage.room.judge(Position("e1", 2)).recovered
    assert [item.seq for item in start(stage.room.after(2)).result()] == [3, 4, 5] and stage.asked == []
    reading = start(stage.room.after(0))
    assert stage.asked == [("read", 0)]
    stage.log.show(page([3, 4, 5], first=3))
    assert isinstance(reading.error, Gone)


def test_rules_are_followed_live() -> None:
    """What moderators decide holds from its entry on, read or told."""
    stage = Stage(1, 2, 3)
    lock = Moderated(ANN, "lock", value="on")
    stage.log.tell(Entry("lobby", 4, "e1", 0, lock))
    assert stage.room.rules.locked
    stage.tell(6)
    unlock = Entry("lobby", 5, "e1", 0, Moderated(ANN, "lock", value="off"))
    stage.log.show(replace(page([6]), entries=(unlock, entry(6))))
    assert not stage.room.rules.locked and stage.room.top == 6
