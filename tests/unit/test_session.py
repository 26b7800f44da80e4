"""A session's commands, on a memory log that answers within a turn."""

from __future__ import annotations

from typing import get_args

from asking import Ear, do
from fakes import FakeClock, Ids, Pump, Troubles, make_hub

from chatservice.domain.commands import Command, Help, History, Join, Leave, Rename, Say, Unknown, Who
from chatservice.domain.conduct import COMMANDS
from chatservice.domain.errors import GOODBYE
from chatservice.domain.hub import Hub
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.domain.results import Joined, Members
from chatservice.domain.session import Session
from chatservice.logs.memory import MemoryLog


class Chat:
    """A hub on a memory log, and people in it."""

    def __init__(self, messages: Rate | None = None) -> None:
        self.pump, self.clock, self.troubles = Pump(), FakeClock(), Troubles()
        log = MemoryLog(call_soon=self.pump, clock=self.clock, randomness=Ids("e"))
        self.hub: Hub = make_hub(log, clock=self.clock, messages=messages, troubles=self.troubles)

    def arrive(self, room: str = "lobby", nick: str = "", **how: int) -> tuple[Session, Ear]:
        peer = Ear()
        session = Session(self.hub, peer, "127.0.0.1:5123")
        if nick:
            do(session, peer, Rename(nick))
        if room:
            do(session, peer, Join(room, alone=True, **how))
        self.pump.run()
        return session, peer

    def say(self, session: Session, *texts: str) -> None:
        assert isinstance(session.peer, Ear)
        do(session, session.peer, *map(Say, texts))
        self.pump.run()


def test_a_newcomer_is_greeted_then_welcomed() -> None:
    """First hello, then the room; the others learn of the newcomer, the newcomer who is there."""
    chat = Chat()
    _, ann = chat.arrive(nick="Ann")
    assert ann.told() == ["hi user1", "in lobby at 0, 1 here"]
    _, bob = chat.arrive()
    welcome = bob.row[-1]
    assert isinstance(welcome, Joined) and welcome.members is not None
    assert [user.nick for user in welcome.members] == ["Ann", "user2"]
    assert ann.told() == ["+user2 2"]


def test_everybody_hears_everybody() -> None:
    """What is said reaches all in the room, the speaker too, numbered in order."""
    chat = Chat()
    (one, ann), (two, bob) = chat.arrive(), chat.arrive()
    ann.told(), bob.told()
    chat.say(one, "a")
    chat.say(two, "b")
    chat.say(one, "c", "d")
    assert ann.told() == bob.told() == ["1 user1: a", "2 user2: b", "3 user1: c", "4 user1: d"]


def test_a_newcomer_may_ask_for_what_was_said() -> None:
    """The last messages come first, then the welcome; a number above 200 counts as 200."""
    chat = Chat()
    one, _ = chat.arrive()
    chat.say(one, *(f"m{n}" for n in range(250)))
    _, bob = chat.arrive(last=2)
    assert bob.told() == ["hi user2", "249 user1: m248", "250 user1: m249", "in lobby at 250, 2 here"]
    _, eve = chat.arrive(last=10_000)
    assert len(eve.told()) == 202


def test_nothing_said_is_nothing() -> None:
    """White space alone is not said, and nobody is bothered about it."""
    chat = Chat()
    one, ann = chat.arrive()
    ann.told()
    chat.say(one, "", " \n\t ", "\x00\x07")
    assert ann.told() == []


def test_going_to_another_room() -> None:
    """One is in one room at a time: a join leaves the old room, whose people learn of it."""
    chat = Chat()
    (one, ann), (_, bob) = chat.arrive(), chat.arrive()
    ann.told(), bob.told()
    do(one, ann, Join("attic", last=20, alone=True))
    chat.pump.run()
    assert ann.told() == ["in attic at 0, 1 here"] and bob.told() == ["-user1 1"]
    chat.say(one, "alone")
    assert ann.told() == ["1 user1: alone"] and bob.told() == []
    do(one, ann, Join("lobby", alone=True))
    assert bob.told() == ["+user1 2"]
    assert set(chat.hub.rooms) == {"lobby"}  # a room nobody is in costs nothing


def test_joining_the_room_one_is_in() -> None:
    """It shows the history again and tells nobody; one is not in it twice."""
    chat = Chat()
    (one, ann), (_, bob) = chat.arrive(), chat.arrive()
    chat.say(one, "a")
    ann.told(), bob.told()
    do(one, ann, Join("lobby", last=20, alone=True))
    assert ann.told() == ["1 user1: a", "in lobby at 1, 2 here"] and bob.told() == []
    chat.say(one, "b")
    assert ann.told() == ["2 user1: b"]


def test_a_room_that_cannot_be() -> None:
    """A bad room name is refused and one stays where one is."""
    chat = Chat()
    one, ann = chat.arrive()
    ann.told()
    do(one, ann, Join("@bob", alone=True))
    chat.say(one, "still here")
    assert ann.told() == ["* room_name", "1 user1: still here"]


def test_nowhere() -> None:
    """In no room, what needs a room is refused with not_joined; the rest works."""
    chat = Chat()
    one, ann = chat.arrive(room="")
    do(one, ann, Say("hi"), Who(), History())
    assert [(refusal.about, refusal.code) for refusal in ann.refusals()] == [("not_joined", "not_joined")] * 3
    do(one, ann, Rename("Ann"))
    do(one, ann, Help())
    assert ann.told()[4:] == ["* help"] and one.user.user.nick == "Ann"


def test_renames() -> None:
    """A new nick is told to the room; the same nick to nobody; a taken or bad one is refused."""
    chat = Chat()
    (one, ann), (two, bob) = chat.arrive(), chat.arrive()
    ann.told(), bob.told()
    do(one, ann, Rename("Ann"))
    do(one, ann, Rename("Ann"))
    do(two, bob, Rename("ANN"))
    do(two, bob, Rename("*"))
    assert ann.told() == ["user1>Ann"]
    assert bob.told() == ["user1>Ann", "* nick_taken", "* nick_characters"]
    chat.say(one, "me")
    assert bob.told() == ["1 Ann: me"]


def test_who_and_history_and_help() -> None:
    """Each is answered to the one who asked."""
    chat = Chat()
    (one, ann), (two, bob) = chat.arrive(nick="Ann"), chat.arrive()
    do(two, bob, History())
    chat.say(one, "a", "b", "c")
    ann.told(), bob.told()
    do(two, bob, Who())
    do(two, bob, History(last=2))
    do(two, bob, History(since=2))
    do(two, bob, History(last=0))
    do(two, bob, History(since=3))
    do(two, bob, Help())
    members = bob.row[0]
    assert isinstance(members, Members) and members.n == 2
    assert bob.told() == [
        "who Ann user2",
        "2 Ann: b",
        "3 Ann: c",
        "3 Ann: c",
        "* no_history",
        "* no_history",
        "* help",
    ]
    assert ann.told() == []


def test_since_is_bounded() -> None:
    """More than 500 messages are not shown at once; the notice says so."""
    chat = Chat()
    one, ann = chat.arrive()
    chat.say(one, *(str(n) for n in range(502)))
    ann.told()
    do(one, ann, History(since=1))
    assert ann.told() == ["* since_too_far"]
    do(one, ann, History(since=2))
    assert len(ann.told()) == 500


def test_slow_down() -> None:
    """Eleven at once: the last is refused, with the time to wait; later it is said."""
    chat = Chat(messages=MESSAGES)
    one, ann = chat.arrive()
    ann.told()
    chat.say(one, *"abcdefghijk")
    (refusal,) = ann.refusals()
    assert (refusal.about, refusal.code) == ("rate_limited", "rate_limited")
    assert refusal.params == {"seconds": 0.501, "kind": "message"}
    assert refusal.retry_ms == 501
    assert len(ann.told()) == 11
    chat.clock.now += 0.6
    chat.say(one, "k")
    assert ann.told() == ["11 user1: k"]


def test_an_unknown_command_is_a_row_like_any_other() -> None:
    """It is refused with its name, and the conversation goes on."""
    chat = Chat()
    one, ann = chat.arrive()
    ann.told()
    do(one, ann, Unknown("dance"))
    (refusal,) = ann.refusals()
    assert (refusal.code, refusal.params) == ("unknown_type", {"name": "dance"})
    chat.say(one, "on we go")
    assert ann.told()[-1] == "1 user1: on we go"


def test_goodbye() -> None:
    """Leave closes the connection politely."""
    chat = Chat()
    one, ann = chat.arrive()
    do(one, ann, Leave())
    assert ann.ended is GOODBYE


def test_the_end_of_a_connection() -> None:
    """The others learn of it once, the nick is free, the room is forgotten when it is empty."""
    chat = Chat()
    (one, _), (two, bob) = chat.arrive(nick="Ann"), chat.arrive()
    bob.told()
    one.end()
    one.end()
    do(two, bob, Rename("Ann"))
    assert bob.told() == ["-Ann 1", "user2>Ann"]
    two.end()
    assert chat.hub.rooms == {} and len(chat.hub.roster) == 0
    assert chat.troubles == []


def test_every_command_has_a_row() -> None:
    """The table of commands is complete."""
    assert set(COMMANDS) == set(get_args(Command)) and len(COMMANDS) > 20
