"""Joins over a log that answers late, wrongly or not at all."""

from __future__ import annotations

import pytest
from asking import Ear, message
from fakes import ScriptedLog, Troubles, entry, make_hub, page

from chatservice.dialects.slash import TypedParser
from chatservice.domain.commands import Join, Position, Say
from chatservice.domain.errors import Code, Refused
from chatservice.domain.hub import Hub
from chatservice.domain.results import Joined
from chatservice.domain.session import Session
from chatservice.transports.conversation import Conversation


def make() -> tuple[Hub, ScriptedLog, Troubles]:
    log, troubles = ScriptedLog(), Troubles()
    return make_hub(log, troubles=troubles), log, troubles


def arrive(hub: Hub, last: int = 0, since: Position | None = None) -> tuple[Conversation, Ear]:
    """Somebody new, on the way into the lobby."""
    peer = Ear()
    session = Session(hub, peer, "local")
    assert peer.told() == [f"hi {session.user.user.nick}"]
    conversation = Conversation(TypedParser(), peer, session, hub.report)
    conversation.perform(Join("lobby", last, since, alone=True))
    return conversation, peer


def test_a_join_while_others_talk() -> None:
    """What is said while a newcomer's read is under way reaches it exactly once, in order."""
    hub, log, _ = make()
    _, ann = arrive(hub)
    log.show(page(range(301, 557)))
    _, bob = arrive(hub, since=Position("e1", 100))
    log.tell(entry(557))
    log.show(page(range(101, 357), top=556))
    log.tell(entry(558))
    told = bob.told()
    assert [word.split()[0] for word in told] == [str(seq) for seq in range(101, 558)] + ["in", "558"]
    assert told[-2] == "in lobby at 557, 2 here"
    assert ann.told() == ["in lobby at 556, 1 here", "557 Ann: 557", "+user2 2", "558 Ann: 558"]


def test_two_newcomers_during_one_read() -> None:
    """Both wait for the same read; both get everything, and learn of each other."""
    hub, log, _ = make()
    _, ann = arrive(hub, last=5)
    _, bob = arrive(hub, last=1)
    log.tell(entry(2), entry(3))
    log.show(page([1, 2]))
    assert [(ask.kind, ask.seq, ask.limit) for ask in log.asks] == [("history", 4, 5), ("history", 4, 1)]
    log.tell(entry(4))
    log.show_past(message(1), message(2), message(3))
    log.show_past(message(3))
    assert ann.told() == ["1 Ann: 1", "2 Ann: 2", "3 Ann: 3", "4 Ann: 4", "in lobby at 4, 1 here", "+user2 2"]
    assert bob.told() == ["4 Ann: 4", "in lobby at 4, 2 here"]


def test_an_unreadable_log_refuses_the_join() -> None:
    """A join whose read fails is answered, the failure is reported, and the next join tries again."""
    hub, log, troubles = make()
    one, ann = arrive(hub)
    _, bob = arrive(hub)
    log.fail(OSError("disk"))
    assert ann.told() == ["* internal"] and bob.told() == ["* internal"]
    assert troubles and all(isinstance(error, OSError) for error in troubles)
    assert hub.rooms == {}
    one.perform(Say("hi"))
    assert ann.told() == ["* not_joined"]
    one.perform(Join("lobby", alone=True))
    log.show(page([1]))
    assert ann.told() == ["in lobby at 1, 1 here"]


def test_a_log_that_refuses_is_answered_with_its_own_code() -> None:
    """`unavailable` from the log is what the peer is told."""
    hub, log, _ = make()
    _, ann = arrive(hub)
    log.fail(Refused(Code.UNAVAILABLE))
    assert [refusal.code for refusal in ann.refusals()] == ["unavailable"]


def test_a_failed_join_keeps_the_room_one_is_in() -> None:
    """Whoever cannot enter the next room is still in the old one."""
    hub, log, _ = make()
    one, ann = arrive(hub)
    log.show(page())
    one.perform(Join("attic", alone=True))
    log.fail(OSError("disk"))
    assert ann.told() == ["in lobby at 0, 1 here", "* internal"]
    one.perform(Say("here"))
    log.commit()
    assert ann.told() == ["1 user1: here"]
    assert set(hub.rooms) == {"lobby"}


def test_a_connection_that_ends_during_its_join() -> None:
    """It never enters: no ghost stays in the room, nobody is told of it."""
    hub, log, _ = make()
    one, ann = arrive(hub)
    one.end()
    log.show(page([1]))
    assert ann.told() == [] and hub.rooms == {} and len(hub.roster) == 0


def test_an_append_that_fails() -> None:
    """The speaker is told by code when the log is busy, and as our fault when it broke; the talk goes on."""
    hub, log, troubles = make()
    one, ann = arrive(hub)
    log.show(page())
    ann.told()
    for text in ("a", "b", "c"):
        one.perform(Say(text))
    log.fail(Refused(Code.BUSY, retry_ms=200), "append")
    log.fail(OSError("disk"), "append")
    log.commit()
    assert ann.told() == ["* busy", "* internal", "1 user1: c"]
    assert [type(error) for error in troubles] == [OSError]


def test_an_answer_after_the_end() -> None:
    """A log that answers when the speaker is gone disturbs nobody."""
    hub, log, troubles = make()
    one, ann = arrive(hub)
    log.show(page())
    one.perform(Say("a"))
    ann.told()
    one.end()
    log.fail(OSError("disk"), "append")
    assert ann.told() == [] and troubles == []


def lost(position: Position, last: int = 0, **more: object) -> tuple[list[str], dict[str, object]]:
    """What a newcomer with that position is told, and what its client learns if the position does not hold.

    The log has 4 to 7, and of the past it shows 6 and 7.
    """
    hub, log, _ = make()
    _, bob = arrive(hub, last, position)
    log.show(page(range(4, 8), **more))
    for ask in list(log.asks):
        assert (ask.kind, ask.seq, ask.limit) == ("history", 8, last or 50)
        log.show_past(message(6), message(7))
    (joined,) = (item for item in bob.row if isinstance(item, Joined))
    assert joined.was_recovering
    about = {"reason": joined.reason, "valid": joined.valid, "room": joined.room}
    return bob.told(), {} if joined.recovered else about


def test_a_position_that_holds() -> None:
    """Everything after it comes, and no word about it."""
    told, notice = lost(Position("e1", 5))
    assert told == ["6 Ann: 6", "7 Ann: 7", "in lobby at 7, 1 here"] and notice == {}


def test_a_position_that_was_truncated() -> None:
    """The client learns up to where its own view is right; everything after that comes."""
    told, notice = lost(Position("e0", 9), forks=(("e0", 5),))
    assert told == ["* position_lost", "6 Ann: 6", "7 Ann: 7", "in lobby at 7, 1 here"]
    assert notice == {"reason": "truncated", "valid": 5, "room": "lobby"}


@pytest.mark.parametrize("last", [0, 2])
def test_positions_that_are_lost(last: int) -> None:
    """The client learns why, and the newest messages come: as many as were asked for, else 50."""
    for position, more, reason in (
        (Position("e9", 5), {}, "epoch"),
        (Position("e1", 8), {}, "ahead"),
        (Position("e1", 2), {"first": 4}, "gone"),
    ):
        told, notice = lost(position, last, **more)
        assert told == ["* position_lost", "6 Ann: 6", "7 Ann: 7", "in lobby at 7, 1 here"]
        assert notice == {"reason": reason, "valid": 0, "room": "lobby"}


def test_a_position_too_far_back() -> None:
    """Above 500 missed messages the newest come instead."""
    hub, log, _ = make()
    _, bob = arrive(hub, 1, Position("e1", 10))
    log.show(page(range(356, 612)))
    log.show_past(message(611))
    (joined,) = (item for item in bob.row if isinstance(item, Joined))
    assert (joined.recovered, joined.reason, joined.entries) == (False, "too_many", ())
    assert bob.told() == ["* position_lost", "611 Ann: 611", "in lobby at 611, 1 here"]
