"""A log that loses, takes back or hides what a live room has told: every sync ends, and members learn of it."""

from __future__ import annotations

import pytest
from fakes import ANN, BOB, FakePeer, ScriptedLog, Troubles, entry, make_hub, page

from chatservice.domain.commands import Join, Position
from chatservice.domain.conduct import handle
from chatservice.domain.errors import POSITION_LOST, Code, Disconnect, Refused
from chatservice.domain.hub import COUNT_EVERY_S
from chatservice.domain.ports import Page
from chatservice.domain.room import BEGINNINGS, Room, State
from chatservice.domain.session import Session


class Leaver(FakePeer):
    """A peer whose session ends when it is closed, as a connection's does."""

    session: Session | None = None

    def close(self, why: Disconnect) -> None:
        super().close(why)
        if self.session is not None:
            self.session.end()


class Stage:
    """A hub on a scripted log; Ann is in the lobby, which is live at 3."""

    def __init__(self) -> None:
        self.log, self.troubles = ScriptedLog(), Troubles()
        self.hub = make_hub(self.log, troubles=self.troubles)
        self.ann = Leaver()
        self.session = self.ann.session = Session(self.hub, self.ann, "1")
        joined = handle(self.session, Join("lobby"))
        self.log.show(page([1, 2, 3]))
        assert joined.done
        self.room: Room = self.hub.rooms["lobby"]
        self.ann.told()

    def tell(self, *seqs: int, epoch: str = "e1") -> None:
        self.log.tell(*(entry(seq, epoch=epoch) for seq in seqs))

    def heard(self) -> list[str]:
        """What Ann was told, of what was said only the number."""
        return [word.partition(" Ann")[0] for word in self.ann.told()]

    @property
    def asked(self) -> list[tuple[str, int | None]]:
        return [(ask.kind, ask.seq) for ask in self.log.asks]


HIDDEN = [
    pytest.param(page([], top=9, first=8), id="pruned"),
    pytest.param(page([8, 9], first=8), id="pruned before the page"),
    pytest.param(page([], top=9), id="the log shows nothing of what it has"),
    pytest.param(page([6, 7, 8, 9]), id="the page begins too late"),
]


@pytest.mark.parametrize("shown", HIDDEN)
def test_what_comes_next_is_gone(shown: Page) -> None:
    """What members must be told next cannot be had any more: they begin anew, once, and hear all that follows."""
    stage = Stage()
    stage.tell(9)
    assert stage.asked == [("read", 3)]
    stage.log.show(shown)
    assert stage.asked == [("read_back", None)] and stage.heard() == []
    stage.log.show(page([8, 9], first=8))
    assert stage.heard() == ["cut after None: e1 9"] and stage.asked == []
    assert (stage.room.state, stage.room.top) == (State.LIVE, 9)
    stage.tell(9, 10)
    assert stage.heard() == ["10"] and stage.ann.ended is None
    assert stage.room.judge(Position("e1", 3)).reason == "gone"
    assert stage.room.judge(Position("e1", 9)).recovered


def test_a_hole_on_a_later_page() -> None:
    """Pages that fit are told; at the first that does not, members begin anew."""
    stage = Stage()
    stage.tell(9)
    stage.log.show(page([4, 5], top=9))
    stage.log.show(page([8, 9]))
    assert stage.heard() == ["4", "5"]
    stage.log.show(page([5, 6, 7, 8, 9]))
    assert stage.heard() == ["cut after None: e1 9"] and stage.asked == []


def test_a_member_can_go_on_from_there() -> None:
    """Who was told to begin anew joins again from nothing, and gets what there is."""
    stage = Stage()
    stage.tell(9)
    stage.log.show(page([], top=9, first=8))
    stage.log.show(page([8, 9], first=8))
    joining = handle(stage.session, Join("lobby", 1, Position("e1", 0)))
    assert stage.asked == [("history", 10)]
    stage.log.show_past()
    joined = joining.result()
    assert (joined.recovered, joined.reason, joined.seq) == (False, "gone", 9)


def test_the_same_epoch_with_a_lower_top() -> None:
    """A log without a fence lost its end: members drop what is not there any more, and go on."""
    stage = Stage()
    stage.tell(5)
    stage.log.show(page([], top=1))
    assert stage.heard() == ["cut after 1: e1 1"] and stage.asked == [("read", 1)]
    stage.log.show(page([], top=1))
    assert stage.asked == [] and stage.room.state is State.LIVE
    stage.tell(2)
    assert stage.heard() == ["2"]


def lose_again_and_again(stage: Stage) -> int:
    """Each time the room reads, another epoch has begun and one number less has survived; how often it read."""
    times = 0
    while stage.asked and stage.asked[0][0] == "read":
        times += 1
        assert times < 50, "it reads for ever"
        forks = tuple((f"e{n}", 12 - n) for n in range(1, times + 1))
        stage.log.show(page([], top=12 - times, epoch=f"e{times + 1}", forks=forks))
    return times


def test_ground_that_is_lost_again_and_again() -> None:
    """No sync goes on for ever: members of a log that nobody can follow are sent away to come back without their
    positions, and whoever is on the way in gets what holds in the end."""
    stage = Stage()
    stage.tell(*range(4, 13))
    bob = Session(stage.hub, FakePeer(), "2")
    stage.tell(14)
    joining = handle(bob, Join("lobby"))
    assert lose_again_and_again(stage) == BEGINNINGS
    assert stage.asked == [("read_back", None)] and stage.ann.ended is None and not joining.done
    told = [word for word in stage.heard() if word.startswith("cut")]
    assert told == [f"cut after {12 - n}: e{n + 1} {12 - n}" for n in range(1, BEGINNINGS + 1)]
    stage.log.show(page([1, 2], epoch="e99"))
    assert stage.ann.ended is POSITION_LOST and (POSITION_LOST.own_code, POSITION_LOST.reconnect) == (4010, True)
    assert joining.result().seq == 2 and joining.result().epoch == "e99"
    stage.tell(3, epoch="e99")
    assert bob.peer.told()[-1].startswith("3 ")  # type: ignore[attr-defined]
    assert stage.asked == [] and stage.heard() == [] and stage.room.here.n == 1


def test_a_log_that_hides_its_end() -> None:
    """If even the newest entries are not shown, no room begins with a hole: who waits is refused for now."""
    stage = Stage()
    stage.tell(9)
    stage.log.show(page([], top=9))
    stage.log.show(page([], top=9))
    assert stage.room.state is State.STALE and stage.heard() == []
    assert [refusal.code for refusal in stage.troubles if isinstance(refusal, Refused)] == [Code.UNAVAILABLE]


# --- reading again ---


def test_a_room_that_could_not_be_read_is_tried_again() -> None:
    """Nobody has to speak or come: in a few seconds it is read again, and said once that it could not be."""
    stage = Stage()
    clock = stage.hub.clock
    stage.tell(5)
    stage.log.fail(OSError("disk"))
    for _ in range(3):
        assert stage.room.state is State.STALE and stage.asked == [] and len(stage.troubles) == 1
        for _ in range(round(COUNT_EVERY_S)):
            clock.now += 1.0  # type: ignore[attr-defined]
            stage.hub.tick()
        assert stage.asked == [("read", 3)]
        stage.log.fail(OSError("disk"))
    clock.now += COUNT_EVERY_S  # type: ignore[attr-defined]
    stage.hub.tick()
    stage.log.show(page([4, 5]))
    assert stage.heard() == ["4", "5"] and stage.room.state is State.LIVE
    stage.tell(7)
    stage.log.fail(OSError("disk"))
    assert len(stage.troubles) == 2


def test_a_log_that_is_away_is_no_error() -> None:
    """That the log is away is for its own watch to say: a room that cannot be read meanwhile is no error of ours,
    whether somebody is in it or comes."""
    stage = Stage()
    coming = stage.hub.room("attic").live()
    stage.log.fail(Refused(Code.UNAVAILABLE))
    stage.tell(5)
    stage.log.fail(Refused(Code.UNAVAILABLE))
    assert isinstance(coming.error, Refused) and stage.room.state is State.STALE and stage.troubles == []


def test_live_and_cold_rooms_are_not_read_again() -> None:
    """Time alone reads nothing."""
    stage = Stage()
    stage.hub.room("attic").live()
    assert stage.asked == [("read_back", None)]
    stage.log.fail(OSError("disk"))
    stage.hub.clock.now += 2 * COUNT_EVERY_S  # type: ignore[attr-defined]
    stage.hub.tick()
    stage.hub.room("attic").read_again()
    assert stage.asked == []


def test_members_on_every_dialect_are_sent_away() -> None:
    """All who are told what happens in a room are, whatever bytes they take, and also those whom nobody sees."""
    room = Room("lobby", ScriptedLog(), Troubles().append)
    peers = [FakePeer(), FakePeer(), FakePeer()]
    room.here.attach(ANN, peers[0])
    room.here.attach(BOB, peers[1])
    room.here.listen(peers[2])
    room.here.close(POSITION_LOST)
    assert [peer.ended for peer in peers] == [POSITION_LOST] * 3
