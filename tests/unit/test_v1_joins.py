"""Coming into a room while things happen: forks, pruning, kicks and losses in the middle of a join."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import ANN, BOB, NOON, FakePeer, ScriptedLog, Troubles, entry, make_hub, page

from chatservice.domain.commands import Join, Position
from chatservice.domain.conduct import handle
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Deleted, Edited, Entry, Moderated, Reacted, User
from chatservice.domain.limits import RING
from chatservice.domain.message import Message, Tally
from chatservice.domain.promise import Promise
from chatservice.domain.results import Joined
from chatservice.domain.session import Session


class Stage:
    """A hub on a scripted log, with somebody in the lobby who keeps it live."""

    def __init__(self, *seqs: int) -> None:
        self.log, self.troubles = ScriptedLog(), Troubles()
        self.hub = make_hub(self.log, troubles=self.troubles)
        self.ann = Session(self.hub, FakePeer(), "1")
        joined = handle(self.ann, Join("lobby"))
        self.log.show(page(seqs))
        assert joined.done
        self.bob = Session(self.hub, FakePeer(), "2")

    def join(self, since: Position | None = None, last: int = 0) -> Promise[Any]:
        self.bob.peer.told()  # type: ignore[attr-defined]
        return handle(self.bob, Join("lobby", last, since))

    def tell(self, body: Any, seq: int, epoch: str = "e1") -> None:
        self.log.tell(Entry("lobby", seq, epoch, int(NOON * 1000), body))

    @property
    def heard(self) -> list[str]:
        """What the newcomer was told."""
        told: list[str] = self.bob.peer.told()  # type: ignore[attr-defined]
        return told

    @property
    def asked(self) -> list[tuple[str, int | None]]:
        return [(ask.kind, ask.seq) for ask in self.log.asks]


FAR = RING * 2
LATE = range(FAR - RING + 1, FAR + 1)  # what the ring holds: a position before it must be read


@pytest.mark.parametrize("action", ["kick", "ban"])
@pytest.mark.parametrize("is_inside", [False, True])
def test_r12_thrown_out_while_recovering(action: str, is_inside: bool) -> None:
    """R12: who is kicked or banned while it joins, or joins again, is not let in and is told nothing."""
    stage = Stage(*LATE)
    if is_inside:
        assert stage.join().done
    joining = stage.join(Position("e1", FAR - RING - 5))
    assert stage.asked == [("read", FAR - RING - 5)]
    stage.tell(Moderated(ANN, action, stage.bob.user.user), FAR + 1)
    if is_inside:
        stage.bob.leave(stage.hub.rooms["lobby"])  # as `ordering` does it for those who are inside
    stage.bob.peer.told()  # type: ignore[attr-defined]
    stage.log.show(page(range(FAR - RING - 4, FAR + 1), top=FAR + 1))
    assert isinstance(joining.error, Refused) and joining.error.code is Code.FORBIDDEN
    assert stage.bob.rooms == {}
    stage.tell(entry(1).body, FAR + 2)
    assert stage.heard == []
    if action == "kick":  # and then may come back
        assert stage.join().done and "lobby" in stage.bob.rooms


def test_somebody_elses_kick() -> None:
    """That another person is thrown out meanwhile keeps nobody from joining."""
    stage = Stage(*LATE)
    joining = stage.join(Position("e1", FAR - RING - 5))
    stage.tell(Moderated(ANN, "kick", User("u_eve", "Eve")), FAR + 1)
    stage.log.show(page(range(FAR - RING - 4, FAR + 1), top=FAR + 1))
    assert joining.result().recovered and joining.result().seq == FAR + 1


def test_lost_while_joining() -> None:
    """A connection that is lost in the middle of a join leaves nobody in the room, and the room may go."""
    stage = Stage(*LATE)
    joining = stage.join(Position("e1", FAR - RING - 5))
    stage.ann.end()
    stage.bob.end()
    assert list(stage.hub.rooms) == ["lobby"]
    stage.log.show(page(range(FAR - RING - 4, FAR + 1), top=FAR))
    assert isinstance(joining.error, Refused)
    assert stage.hub.rooms == {} and len(stage.hub.roster) == 0


def test_r6_entries_while_the_state_is_read() -> None:
    """R6: the state that a newcomer gets is of the very number it is told, whatever happened while it was read."""
    stage = Stage(1, 2, 3)
    joining = stage.join(last=3)
    assert stage.asked == [("history", 4)]
    stage.tell(Edited(ANN, 3, "edited", 1), 4)
    stage.tell(Deleted(ANN, 2), 5)
    stage.tell(Reacted(stage.bob.user.user, 3, "👍", True, 1), 6)
    stage.tell(entry(7).body, 7)
    assert not joining.done
    ts = int(NOON * 1000)
    # The page was read when the first two had happened: seeing them twice must not matter.
    stage.log.show_past(
        Message(1, ts, ANN, "1"), Message(2, ts, ANN, "", deleted=True), Message(3, ts, ANN, "edited", 1)
    )
    joined: Joined = joining.result()
    assert joined.seq == 7 and [message.seq for message in joined.state] == [2, 3, 7]
    two, three, seven = joined.state
    assert two.deleted and (three.text, three.rev, three.reactions) == ("edited", 1, {"👍": Tally(1, True)})
    assert seven.text == "7" and stage.heard == []
    stage.tell(entry(8).body, 8)
    assert stage.heard == ["8 Ann: 8"]


def test_r6_deleted_while_the_state_is_read() -> None:
    """R6: what is deleted after its page was read is shown without words, mentions, attachments and reactions."""
    stage = Stage(1, 2, 3)
    joining = stage.join(last=3)
    stage.tell(Edited(ANN, 2, "secret again", 2), 4)
    stage.tell(Deleted(ANN, 2), 5)
    stage.tell(Edited(ANN, 3, "stands", 1), 6)
    ts = int(NOON * 1000)
    secret = Message(
        2, ts, ANN, "secret", 1, mentions=("u_bob",), meta={"a": "secret"}, reactions={"👍": Tally(1, False)}
    )
    stage.log.show_past(Message(1, ts, ANN, "1"), secret, Message(3, ts, ANN, "3"))
    one, two, three = joining.result().state
    assert two.deleted and (two.text, two.mentions, two.meta, two.reactions) == ("", (), None, {})
    assert (one.text, three.text) == ("1", "stands")


def test_r8_a_new_epoch_while_reading() -> None:
    """R8: a fork without a loss in the middle of a join changes nothing: the position is judged again."""
    stage = Stage(*LATE)
    since = FAR - RING - 5
    joining = stage.join(Position("e1", since))
    stage.tell(entry(1).body, FAR + 1, "e2")
    stage.log.show(page(range(since + 1, FAR + 1), top=FAR))
    heads = {"epoch": "e2", "forks": (("e1", FAR),)}
    stage.log.show(page([FAR + 1], **heads))
    assert stage.asked == [("read", since)]
    stage.log.show(page(range(since + 1, since + 1 + RING), top=FAR + 1, **heads))
    joined: Joined = joining.result()
    assert joined.recovered and joined.epoch == "e2"
    assert [item.seq for item in joined.entries] == list(range(since + 1, FAR + 2))


def test_r8_a_lost_tail_while_reading() -> None:
    """R8: if what the newcomer has did not survive, it is told so, though the join began before."""
    stage = Stage(*LATE)
    since = FAR - RING - 5
    joining = stage.join(Position("e1", since))
    stage.tell(entry(1).body, since - 2, "e2")
    stage.log.show(page(range(since + 1, FAR + 1), top=FAR))  # of the lost branch
    heads = {"epoch": "e2", "forks": (("e1", since - 3),)}
    stage.log.show(page([], top=since - 2, **heads))
    stage.log.show(page([since - 2], **heads))
    joined: Joined = joining.result()
    assert (joined.recovered, joined.reason, joined.valid, joined.seq) == (
        False,
        "truncated",
        since - 3,
        since - 2,
    )
    assert [(item.seq, item.epoch) for item in joined.entries] == [(since - 2, "e2")]


def test_r8_a_lost_tail_while_the_state_is_read() -> None:
    """R8: a page of messages that was read before the fork is thrown away, so that no lost one is shown."""
    stage = Stage(1, 2, 3)
    joining = stage.join(last=2)
    stage.tell(entry(3).body, 3, "e2")
    heads = {"epoch": "e2", "forks": (("e1", 1),)}
    stage.log.show(page([], top=1, **heads))
    stage.log.show(page([], top=1, **heads))
    ts = int(NOON * 1000)
    stage.log.show_past(Message(2, ts, BOB, "ghost"), Message(3, ts, BOB, "ghost"))
    assert not joining.done and stage.asked == [("history", 2)]
    stage.log.show_past(Message(1, ts, ANN, "1"))
    joined: Joined = joining.result()
    assert [message.text for message in joined.state] == ["1"] and (joined.seq, joined.epoch) == (1, "e2")


def test_r9_pruned_while_reading() -> None:
    """R9: what is pruned in the middle of a join is gone: the last messages come instead."""
    stage = Stage(*LATE)
    joining = stage.join(Position("e1", FAR - RING - 5), last=1)
    stage.log.show(page(range(FAR - RING - 1, FAR + 1), first=FAR - RING - 1))
    assert stage.asked == [("history", FAR + 1)]
    stage.log.show_past(Message(FAR, 0, ANN, "the last"))
    joined: Joined = joining.result()
    assert (joined.recovered, joined.reason, joined.entries) == (False, "gone", ())
    assert [message.text for message in joined.state] == ["the last"]


def test_many_join_at_once() -> None:
    """A thousand who come to a cold room cost one read, and each gets exactly what it missed."""
    log = ScriptedLog()
    hub = make_hub(log, troubles=Troubles())
    sessions = [Session(hub, FakePeer(), "x") for _ in range(1000)]
    joining = [handle(one, Join("lobby", since=Position("e1", n % 3))) for n, one in enumerate(sessions)]
    assert len(log.asks) == 1
    log.show(page([1, 2, 3]))
    for n, done in enumerate(joining):
        assert [item.seq for item in done.result().entries] == [1, 2, 3][n % 3 :]
    assert log.asks == []
