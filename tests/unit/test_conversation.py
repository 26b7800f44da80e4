"""A peer's commands keep their order though the log answers late."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from asking import Ear, do
from fakes import FakePeer, ScriptedLog, Troubles, make_hub, page

from chatservice.dialects.base import Answer, Asked, Parsed
from chatservice.dialects.line import LineParser
from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Help, Join, Say
from chatservice.domain.conduct import COMMANDS, Row
from chatservice.domain.errors import BAD_UTF8, GOODBYE, NOT_TEXT
from chatservice.domain.ports import Appended
from chatservice.domain.session import Session
from chatservice.transports.conversation import BACKLOG, Conversation


class Talk:
    """One conversation in `lobby` over a scripted log."""

    def __init__(self) -> None:
        self.log, self.troubles = ScriptedLog(), Troubles()
        hub = make_hub(self.log, troubles=self.troubles)
        self.peer = Ear()
        session = Session(hub, self.peer, "local")
        self.it = Conversation(dialect("text").parser(), self.peer, session, self.troubles.append)
        self.it.perform(Join("lobby", alone=True))
        self.log.show(page())
        self.peer.told()

    def type(self, *lines: str) -> None:
        for line in lines:
            self.it.receive(line.encode())

    def waiting(self) -> list[str]:
        return [ask.kind for ask in self.log.asks]


def test_sayings_do_not_wait_for_each_other() -> None:
    """A pasted stack of lines goes to the log at once, in order; the log keeps it."""
    talk = Talk()
    talk.type("a", "b", "c")
    assert talk.waiting() == ["append"] * 3
    for _ in range(3):
        talk.log.commit()
    assert talk.peer.told() == ["1 user1: a", "2 user1: b", "3 user1: c"]


def test_a_rename_waits_for_what_was_said_before() -> None:
    """a, /nick, b: a is said under the old nick, then the rename, then b under the new one."""
    talk = Talk()
    talk.type("a", "/nick Ann", "b")
    assert talk.waiting() == ["append"] and talk.peer.told() == []
    talk.log.commit()
    assert talk.peer.told() == ["1 user1: a", "user1>Ann"]
    talk.log.commit()
    assert talk.peer.told() == ["2 Ann: b"]


def test_what_is_said_waits_for_a_join() -> None:
    """a, /join, b: a is said in the old room, b in the new one, however long the join takes."""
    talk = Talk()
    talk.type("a", "/join attic", "b")
    assert talk.waiting() == ["append"]
    assert talk.log.commit().room == "lobby"
    assert talk.waiting() == ["read_back"]
    talk.log.show(page())
    assert talk.waiting() == ["history"]
    talk.log.show_past()
    assert talk.log.commit().room == "attic"
    assert talk.peer.told() == ["1 user1: a", "in attic at 0, 1 here", "1 user1: b"]


def test_a_refused_command_is_answered_in_its_place() -> None:
    """A command that makes no sense is answered, and the conversation goes on."""
    talk = Talk()
    talk.type("/history x", "/dance", "/nick @", "/join @a", "/me", "a")
    talk.log.commit()
    told = talk.peer.told()
    assert told == ["* usage", "* unknown_command", "* nick_characters", "* room_name", "* usage", "1 user1: a"]
    assert talk.peer.ended is None


def test_a_failed_append_lets_the_next_go_on() -> None:
    """What could not be written is answered; what waits behind it is done."""
    talk = Talk()
    talk.type("a", "/nick Ann")
    talk.log.fail(OSError("disk"), "append")
    assert talk.peer.told() == ["* internal", "user1>Ann"]


def test_reading_stops_when_too_much_waits() -> None:
    """At 64 unanswered commands the connection is not read any more, and again when one is answered."""
    talk = Talk()
    talk.type(*(str(n) for n in range(BACKLOG - 1)))
    assert not talk.peer.paused
    talk.type("one more")
    assert talk.peer.paused
    talk.log.commit()
    assert not talk.peer.paused


def test_what_waits_behind_a_join_counts_too() -> None:
    """Commands that have not begun are as much of a burden as those under way."""
    talk = Talk()
    talk.type("/join attic", *(str(n) for n in range(BACKLOG)))
    assert talk.peer.paused and talk.waiting() == ["read_back"]
    talk.log.show(page())
    assert talk.peer.paused
    talk.log.show_past()
    assert talk.peer.paused and talk.waiting() == ["append"] * BACKLOG
    talk.log.commit()
    assert not talk.peer.paused


def test_what_waits_is_dropped_with_the_connection() -> None:
    """When the connection ends, what had not begun was never said; late answers harm nobody."""
    talk = Talk()
    talk.type("a", "/nick Ann", "b")
    talk.it.end()
    talk.it.end()
    talk.log.commit()
    assert talk.waiting() == [] and talk.peer.told() == [] and talk.troubles == []
    talk.type("c")
    assert talk.waiting() == []


def test_a_command_that_breaks_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in one command is reported, and the conversation goes on."""
    talk = Talk()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(COMMANDS, Help, Row(broken))
    talk.type("/help", "a")
    talk.log.commit()
    assert [type(error) for error in talk.troubles] == [ZeroDivisionError]
    assert talk.peer.told() == ["* internal", "1 user1: a"]


def test_a_parser_may_end_the_connection() -> None:
    """Binary on a text dialect ends it with 1003, bytes that are no UTF-8 on a line with their own reason."""
    talk = Talk()
    talk.it.receive(b"\x00", True)
    assert talk.peer.ended is NOT_TEXT
    peer = FakePeer()
    Conversation(LineParser(), peer, None, Troubles().append).receive(b"\xff")
    assert peer.ended is BAD_UTF8
    peer = FakePeer()
    session = Session(make_hub(ScriptedLog(), troubles=Troubles()), peer, "local")
    Conversation(LineParser(), peer, session, Troubles().append).receive(b" bye ")
    assert peer.ended is GOODBYE


def test_answers_below_the_chat() -> None:
    """Echo needs no session and keeps the type of what came; what is said to it is not a command."""
    peer = FakePeer()
    echo = Conversation(dialect("echo").parser(), peer, None, Troubles().append)
    echo.receive(b"/nick x")
    echo.receive(b"\x00\xff", True)
    echo.perform(Say("nothing"))
    assert peer.answers == [(b"/nick x", False), (b"\x00\xff", True)] and peer.heard == []


def test_one_message_may_hold_several_commands() -> None:
    """The seam allows what Socket.IO will need: answers and commands mixed in one message, in order, each command
    answered under its own id."""

    class Mixed:
        def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
            return (Answer(b"probe", False), Asked(7, Say("a")), Asked("x", Say("b")))

    log, peer = ScriptedLog(), Ear()
    session = Session(make_hub(log, troubles=Troubles()), peer, "local")
    do(session, peer, Join("lobby", alone=True))
    log.show(page())
    assert peer.told() == ["hi user1", "in lobby at 0, 1 here"]
    Conversation(Mixed(), peer, session, Troubles().append).receive(b"")
    log.commit()
    log.commit()
    assert peer.answers == [(b"probe", False)]
    assert [(id, type(done), done.seq) for id, done in peer.replies] == [(7, Appended, 1), ("x", Appended, 2)]
    assert peer.told() == ["1 user1: a", "2 user1: b"]
