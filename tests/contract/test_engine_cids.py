"""The same (room, user, cid) is stored once, for ever, whatever happened to the message since."""

from __future__ import annotations

import pytest
from desk import Desk
from fakes import ANN, BOB, said

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Moderated, Opened, Reacted, Said, User


def refused(desk: Desk, body: Body, room: str = "lobby") -> Code:
    with pytest.raises(Refused) as refusal:
        desk.put(body, room)
    return refusal.value.code


def test_a_repeated_cid_is_one_message(desk: Desk) -> None:
    """The repeat gets the first number, epoch and time, and is told to nobody; after a restart too."""
    first = desk.say("hi", cid="c1")
    desk.say("between")
    desk.clock.now += 60.0
    again = desk.say("hi", cid="c1")
    assert (again.seq, again.epoch, again.ts, again.duplicate) == (first.seq, first.epoch, first.ts, True)
    assert len(desk.sink.entries) == 2
    desk.reopen()
    later = desk.say("hi", User(ANN.id, "Another nick"), cid="c1")
    assert (later.seq, later.epoch, later.ts, later.duplicate) == (first.seq, first.epoch, first.ts, True)
    assert desk.read().top == 2 and desk.sink.entries == []


def test_a_cid_within_one_batch(desk: Desk) -> None:
    """Two tries that reach the log together are still one message."""
    answers = [desk.get(p) for p in [desk.append(said("hi", cid="c1")), desk.append(said("hi", cid="c1"))]]
    assert [(answer.seq, answer.duplicate) for answer in answers] == [(1, False), (1, True)]


def test_a_cid_is_one_users_in_one_room(desk: Desk) -> None:
    """Another user or another room may use the same cid; no cid at all is never a repeat."""
    desk.say("hi", cid="c1")
    assert not desk.say("hi", BOB, cid="c1").duplicate
    assert not desk.say("hi", cid="c1", room="attic").duplicate
    assert not desk.say("hi").duplicate and not desk.say("hi").duplicate


def test_a_cid_that_said_something_else(desk: Desk) -> None:
    """Another text, manner or answer under a used cid is refused, after a restart too, and nothing is stored."""
    desk.say("hi", cid="c1")
    for _ in range(2):
        for other in (
            said("ho", cid="c1"),
            Said(ANN, "hi", action=True, cid="c1"),
            Said(ANN, "hi", cid="c1", reply=1),
            Reacted(ANN, 1, "👍", True, cid="c1"),
        ):
            assert refused(desk, other) is Code.CID_CONFLICT
        desk.reopen()
    assert desk.say("on").seq == 2


def test_a_refused_try_does_not_use_up_the_cid(desk: Desk) -> None:
    """What was refused was never stored, so its cid may be tried again."""
    assert refused(desk, Edited(ANN, 1, "x", 0, cid="c1")) is Code.NO_MESSAGE
    desk.say("hi")
    assert not desk.put(Edited(ANN, 1, "x", 0, cid="c1")).duplicate


def test_a_cid_of_an_edited_message(desk: Desk) -> None:
    """A late retry of what was edited since is still that message, and does not undo the edit."""
    desk.say("hi", cid="c1")
    desk.edit(1, "ho")
    for _ in range(2):
        again = desk.say("hi", cid="c1")
        assert (again.seq, again.duplicate) == (1, True)
        assert desk.message(1).text == "ho" and desk.read().top == 2
        assert refused(desk, said("ho", cid="c1")) is Code.CID_CONFLICT
        desk.reopen()


def test_a_cid_of_a_deleted_message(desk: Desk) -> None:
    """A late retry of what was deleted since does not bring it back; what it said cannot be compared any more."""
    desk.say("hi", cid="c1")
    desk.delete(1)
    for text in ("hi", "something else"):
        again = desk.say(text, cid="c1")
        assert (again.seq, again.duplicate) == (1, True)
        desk.reopen()
    assert desk.message(1).deleted and desk.read().top == 2


def test_every_kind_can_be_repeated(desk: Desk) -> None:
    """Edits, deletions, reactions and moderation with a cid are done once as well."""
    desk.say("hi")
    desk.say("ho")
    bodies = [
        Edited(ANN, 1, "hey", 0, cid="e"),
        Reacted(BOB, 1, "👍", True, cid="r"),
        Moderated(ANN, "mute", BOB, cid="m"),
        Opened(ANN, "dm:u_ann:u_bob", BOB, cid="o"),
        Deleted(ANN, 2, cid="d"),
    ]
    firsts = [desk.put(body) for body in bodies]
    assert [first.seq for first in firsts] == [3, 4, 5, 6, 7]
    for _ in range(2):
        for first, body in zip(firsts, bodies, strict=True):
            again = desk.put(body)
            assert (again.seq, again.epoch, again.duplicate) == (first.seq, first.epoch, True), body
        desk.reopen()
    assert desk.message(1).rev == 1 and desk.message(1).reactions["👍"].n == 1
    assert desk.read().top == 7


def test_what_is_stored(desk: Desk) -> None:
    """Asked for a cid without a wish to append, the log answers as for a repeat: also right behind the first try,
    and after a restart; it never stores anything."""
    assert desk.ask("stored", "lobby", said("hi", cid="c1")) is None
    first = desk.append(said("hi", cid="c1"))
    asked = desk.store.engine.stored("lobby", said("hi", cid="c1"))
    stored, done = desk.get(asked), desk.get(first)
    assert stored is not None and stored.duplicate and (stored.seq, stored.epoch) == (done.seq, done.epoch)
    for _ in range(2):
        assert desk.ask("stored", "lobby", said("hi", cid="c1")).seq == 1
        assert desk.ask("stored", "lobby", said("hi", BOB, cid="c1")) is None
        assert desk.ask("stored", "attic", said("hi", cid="c1")) is None
        assert desk.ask("stored", "lobby", said("hi")) is None
        with pytest.raises(Refused) as refusal:
            desk.ask("stored", "lobby", said("ho", cid="c1"))
        assert refusal.value.code is Code.CID_CONFLICT
        desk.reopen()
    assert desk.read().top == 1
